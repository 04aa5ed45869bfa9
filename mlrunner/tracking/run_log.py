"""Every call to MLflow's tracking API: open a run, log to it, read it back and close it.

Parameters and metrics are written at once; `background_writer` saves models and plots while the run goes on.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunInfo, RunTag
from mlflow.exceptions import MlflowException

from mlrunner.core.errors import StoreError
from mlrunner.core.redaction import HIDDEN, is_secret_name, redact, redact_values
from mlrunner.core.uris import to_uri
from mlrunner.tracking.records.record import CONFIG_HASH_TAG, DATA_TAG, FOLDER_TAG, MODEL_TAG

PARAM_LIMIT = 6000  # characters; MLflow refuses longer values
NAME_LIMIT = 250  # characters; MLflow refuses longer names of parameters
FORBIDDEN_IN_NAMES = re.compile(r"[^\w.\-: ]")  # MLflow allows the slash, but reads it as a path
PARAMS_PER_REQUEST = 100
DUPLICATE_ERRORS = ("IntegrityError", "UniqueViolation")  # of the database drivers, in MLflow's message
# MLflow's type of a data set's source, by the scheme of its path
SOURCE_TYPES = {
    "file": "local",
    "http": "http",
    "https": "http",
    **{name: name for name in ("s3", "gs", "abfss", "hdfs")},
}


def ensure_experiment(name: str, artifacts: str | None) -> str:
    """Return the id of an MLflow experiment; create the experiment if it does not exist.

    Args:
        name: Name of the experiment.
        artifacts: Folder or URL for the artifacts of a new experiment; None: the store decides.

    Raises:
        StoreError: When the experiment was deleted in MLflow, which keeps its name.
    """
    client = MlflowClient()
    experiment = client.get_experiment_by_name(name)
    if experiment is not None and experiment.lifecycle_stage == "deleted":
        raise StoreError(
            f"tracking.experiment={name} was deleted in MLflow; restore it (mlflow experiments restore --experiment-id "
            f"{experiment.experiment_id}), or choose another name, as in tracking.experiment={name}-2."
        )
    if experiment is not None:
        return str(experiment.experiment_id)
    try:
        location = None if artifacts is None else to_uri(artifacts)
        return client.create_experiment(name, location)
    except MlflowException:  # another process may have created it first
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            raise
        return str(experiment.experiment_id)


def create_run(experiment: str, name: str, tags: dict[str, str], start: int | None = None) -> RunInfo:
    """Open a run.

    Args:
        experiment: Id of the experiment.
        name: Name of the run; secrets in it are hidden.
        tags: Tags of the run.
        start: Start time in milliseconds since 1970; None: now.

    Returns:
        What MLflow knows of the run, with its `run_id` and `artifact_uri`.
    """
    return MlflowClient().create_run(experiment, start, tags, redact(name)).info


def derive_sweep_id(folder: Path) -> str:
    """Derive a sweep's id, `DAY/TIME`, from its folder."""
    return "/".join(folder.parts[-2:])


def flatten(tree: Any, prefix: str = "") -> dict[str, str]:
    """Flatten nested settings into dotted names and texts of at most `PARAM_LIMIT` characters.

    MLflow refuses names such as `price ($)`: each character that it refuses becomes a dash and its hexadecimal code.
    """
    if isinstance(tree, dict) and tree:
        parts = [flatten(value, f"{prefix}.{key}" if prefix else str(key)) for key, value in tree.items()]
        return {name: value for part in parts for name, value in part.items()}
    text = tree if isinstance(tree, str) else json.dumps(tree, default=str)
    is_secret = tree is not None and is_secret_name(prefix.rpartition(".")[2])
    name = FORBIDDEN_IN_NAMES.sub(lambda match: f"-{ord(match[0]):x}", prefix)[:NAME_LIMIT]
    return {name: HIDDEN if is_secret else redact(text)[:PARAM_LIMIT]}


def log_params(run_id: str, params: dict[str, str], metrics: dict[str, float] | None = None) -> None:
    """Log parameters, and metrics without those that are NaN, in as few requests as MLflow allows."""
    entities, scores = [Param(name, value) for name, value in params.items()], _make_metrics(metrics or {})
    for start in range(0, max(1, len(entities)), PARAMS_PER_REQUEST):
        MlflowClient().log_batch(run_id, scores, entities[start : start + PARAMS_PER_REQUEST])
        scores = []


def log_dataset(run_id: str, label: str, dataset: dict[str, Any], fingerprint: str) -> None:
    """Log the data set of a run."""
    entity = Dataset(label, fingerprint[:36], *_describe_source(dataset))
    inputs = [DatasetInput(entity, [InputTag("mlflow.data.context", "training")])]
    try:
        MlflowClient().log_inputs(run_id, inputs)
    except MlflowException as error:
        if not any(name in str(error) for name in DUPLICATE_ERRORS):
            raise
        MlflowClient().log_inputs(run_id, inputs)  # another process has just logged the same data set: now it is found


def _describe_source(dataset: dict[str, Any]) -> tuple[str, str]:
    """Return the type and the JSON of a data set's source, as `mlflow.data.get_source` reads them."""
    facts = {key: dataset[key] for key in ("path", "query", "loader") if dataset.get(key) is not None}
    hidden = redact_values(facts)  # before it is JSON: a rule may hide up to the end of a line
    path = str(hidden.get("path", ""))
    scheme = path.partition("://")[0].lower() if "://" in path else "file"
    if not path or scheme not in SOURCE_TYPES:  # MLflow's type for what it cannot load
        return "code", json.dumps({"tags": hidden})
    return SOURCE_TYPES[scheme], json.dumps({"url" if SOURCE_TYPES[scheme] == "http" else "uri": path})


def log_metrics(run_id: str, metrics: dict[str, float]) -> None:
    """Log metrics in one request, without those that are NaN."""
    MlflowClient().log_batch(run_id, metrics=_make_metrics(metrics))


def _make_metrics(metrics: dict[str, float]) -> list[Metric]:
    now = int(time.time() * 1000)
    return [Metric(name, value, now, 0) for name, value in metrics.items() if value == value]


def read_results(run_id: str) -> tuple[dict[str, float], str | None]:
    """Read a run's metrics and the URI of its model; None where the run saved no model."""
    data = MlflowClient().get_run(run_id).data
    return dict(data.metrics), data.tags.get(MODEL_TAG)


def read_tags(run_id: str) -> dict[str, str]:
    """Read a run's tags."""
    return dict(MlflowClient().get_run(run_id).data.tags)


def describe_run(run_id: str) -> dict[str, str]:
    """Read what a deployed model says of its run: name, choices, task, target, hashes, folder and metric."""
    run = MlflowClient().get_run(run_id)
    params, tags = run.data.params, run.data.tags
    facts = {
        "run_name": run.info.run_name,
        **{name: params.get(name) for name in ("dataset", "cleaning", "split", "model")},
        "task": params.get("dataset.task"),
        "target": params.get("dataset.target"),
        "config_hash": tags.get(CONFIG_HASH_TAG),
        "data_hash": tags.get(DATA_TAG),
        "folder": tags.get(FOLDER_TAG),
        "metric": params.get("objective.metric"),
    }
    return {name: str(value) for name, value in facts.items() if value is not None}


def set_tags(run_id: str, tags: dict[str, str]) -> None:
    """Set tags of a run in one request."""
    MlflowClient().log_batch(run_id, tags=[RunTag(name, value) for name, value in tags.items()])


def delete_tags(run_id: str, names: Iterable[str]) -> None:
    """Delete tags of a run, which it must have."""
    for name in names:
        MlflowClient().delete_tag(run_id, name)


def end_run(run_id: str, status: str, end: int | None = None) -> None:
    """Close a run.

    Args:
        run_id: Id of the run.
        status: FINISHED, FAILED or KILLED.
        end: End time in milliseconds since 1970; None: now.
    """
    MlflowClient().set_terminated(run_id, status, end)

"""Every call to MLflow: a run is opened, told what it is, given its results, and closed.

Parameters and metrics are written at once; models and pictures by the `recorder`, behind the run's back.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from mlrunner.core.environment import PACKAGE
from mlrunner.core.redaction import SECRETS
from mlrunner.core.redaction import redact as redact
from mlrunner.tracking.records import REOPENED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PARAM_LIMIT = 6000  # characters; MLflow refuses longer values
NAME_LIMIT = 250  # characters; MLflow refuses longer names of parameters
UNNAMEABLE = re.compile(r"[^\w.\-: ]")  # what MLflow takes in no name, and the slash, which it takes for a path
BATCH = 100  # parameters a request
PNG = {"dpi": 100, "pil_kwargs": {"compress_level": 1}}  # larger files, written in less time
MODEL_TAG = "mlrunner.model"


def experiment_id(name: str, artifacts: str | None) -> str:
    """Find an MLflow experiment, making it with its own artifact folder when it is new."""
    client = MlflowClient()
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    try:
        location = None if artifacts is None else Path(artifacts).absolute().as_uri()
        return client.create_experiment(name, location)
    except MlflowException:  # another process may have been faster
        found = client.get_experiment_by_name(name)
        if found is None:
            raise
        return str(found.experiment_id)


def create_run(experiment: str, name: str, tags: dict[str, str], began: int | None = None) -> str:
    """Open a run and return its id; `began` is in milliseconds, None for now."""
    return str(MlflowClient().create_run(experiment, began, tags, redact(name)).info.run_id)


def sweep_id(folder: Path) -> str:
    """Name a sweep after its folder: the day and the microsecond it began."""
    return "/".join(folder.parts[-2:])


def flatten(tree: Any, prefix: str = "") -> dict[str, str]:
    """Flatten nested settings into dotted names and texts of at most `PARAM_LIMIT` characters.

    A column may be called `price ($)`, which MLflow refuses as a name: such letters are told by their numbers.
    """
    if isinstance(tree, dict) and tree:
        parts = [flatten(value, f"{prefix}.{key}" if prefix else str(key)) for key, value in tree.items()]
        return {name: value for part in parts for name, value in part.items()}
    text = tree if isinstance(tree, str) else json.dumps(tree, default=str)
    is_secret = tree is not None and re.fullmatch(SECRETS, prefix.rpartition(".")[2])
    name = UNNAMEABLE.sub(lambda found: f"-{ord(found[0]):x}", prefix)[:NAME_LIMIT]
    return {name: "***" if is_secret else redact(text)[:PARAM_LIMIT]}


def log_params(run_id: str, params: dict[str, str]) -> None:
    """Log parameters in as few requests as MLflow takes."""
    entities = [Param(name, value) for name, value in params.items()]
    for start in range(0, len(entities), BATCH):
        MlflowClient().log_batch(run_id, params=entities[start : start + BATCH])


def log_dataset(run_id: str, label: str, dataset: dict[str, Any], fingerprint: str) -> None:
    """Record which rows the run learned from, by their content."""
    source = json.dumps({key: dataset[key] for key in ("path", "query", "loader") if dataset.get(key) is not None})
    entity = Dataset(label, fingerprint[:36], "local", redact(source))
    MlflowClient().log_inputs(run_id, [DatasetInput(entity, [InputTag("mlflow.data.context", "training")])])


def log_metrics(run_id: str, metrics: dict[str, float]) -> None:
    """Log metrics in one request; NaN is left out, for it says that there is no such number."""
    now = int(time.time() * 1000)
    told = [Metric(name, value, now, 0) for name, value in metrics.items() if value == value]
    MlflowClient().log_batch(run_id, metrics=told)


def results_of(run_id: str) -> tuple[dict[str, float], str | None]:
    """Read a run's metrics back, and the address of its model or None."""
    data = MlflowClient().get_run(run_id).data
    return dict(data.metrics), data.tags.get(MODEL_TAG)


def tags_by_name(run_id: str) -> dict[str, str]:
    """Read a run's tags."""
    return dict(MlflowClient().get_run(run_id).data.tags)


def facts_of(run_id: str) -> dict[str, str]:
    """Tell what a deployed model is: its run, its choices, its task and target."""
    run = MlflowClient().get_run(run_id)
    params, tags = run.data.params, run.data.tags
    chosen: dict[str, Any] = {
        name: params[name] for name in ("dataset", "cleaning", "split", "model") if name in params
    }
    told = {"task": params.get("dataset.task"), "target": params.get("dataset.target")}
    tagged = {name: tags.get(f"mlrunner.{name}") for name in ("config_hash", "data_hash", "folder")}
    every: dict[str, Any] = {"run_name": run.info.run_name, **chosen, **told, **tagged}
    every["metric"] = params.get("objective.metric")
    return {name: str(value) for name, value in every.items() if value is not None}


def running_children(run_id: str) -> list[str]:
    """List the runs of a sweep that are not closed."""
    experiment = MlflowClient().get_run(run_id).info.experiment_id
    wanted = f"tags.mlflow.parentRunId = '{run_id}' and attributes.status = 'RUNNING'"
    return [str(run.info.run_id) for run in MlflowClient().search_runs([experiment], wanted)]


def set_tags(run_id: str, tags: dict[str, str]) -> None:
    """Tag a run."""
    MlflowClient().log_batch(run_id, tags=[RunTag(name, value) for name, value in tags.items()])


def reserve_model(run_id: str) -> str:
    """Reserve the address of the model that the run is about to save.

    Returns:
        The model's id, `m-…`; its address is `models:/m-…`.
    """
    run = MlflowClient().get_run(run_id)
    model = MlflowClient().create_logged_model(run.info.experiment_id, name="model", source_run_id=run_id)
    set_tags(run_id, {MODEL_TAG: f"models:/{model.model_id}"})
    return str(model.model_id)


def save_model(run_id: str, model_id: str, pipeline: Any, **described: Any) -> None:
    """Save a fitted pipeline under its reserved address, with skops and given requirements.

    Args:
        run_id: The run it belongs to.
        model_id: From `reserve_model`.
        pipeline: A fitted scikit-learn pipeline that takes raw rows.
        **described: `signature`, `input_example`, `pip_requirements`, `skops_trusted_types`.
    """
    package = str(PACKAGE)
    with mlflow.start_run(run_id=run_id):
        mlflow.sklearn.log_model(pipeline, model_id=model_id, code_paths=[package], **described)


def log_figures(run_id: str, figures: dict[str, Figure]) -> None:
    """Save pictures under `plots/`."""
    client = MlflowClient()
    for name, figure in figures.items():
        client.log_figure(run_id, figure, f"plots/{name}.png", save_kwargs=PNG)


def log_texts(run_id: str, texts: dict[str, str]) -> None:
    """Save texts, path to content, without their secrets."""
    for path, content in texts.items():
        MlflowClient().log_text(run_id, redact(content), path)


def log_documents(run_id: str, documents: dict[str, Any]) -> None:
    """Save plain values as JSON, path to value; a column that is called like a secret is none, so nothing is hidden."""
    for path, value in documents.items():
        MlflowClient().log_text(run_id, json.dumps(value), path)


def log_hydra(run_id: str, folder: Path) -> None:
    """Save Hydra's record of a run or of a sweep."""
    found = [*folder.glob(".hydra/*.yaml"), *folder.glob("multirun.yaml")]
    log_texts(run_id, {str(file.relative_to(folder)): file.read_text() for file in found})


def end(run_id: str, status: str, at: int | None = None) -> None:
    """Close a run as FINISHED, FAILED or KILLED; `at` is in milliseconds, None for now."""
    MlflowClient().set_terminated(run_id, status, at)


def reopen(run_id: str) -> None:
    """Mark a run as running once more, and since when, for its start stays."""
    set_tags(run_id, {REOPENED: str(int(time.time() * 1000))})
    MlflowClient().update_run(run_id, "RUNNING")

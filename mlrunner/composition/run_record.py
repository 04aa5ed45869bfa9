"""What a run records of its composition: name, tags, parameters, configuration, data, code and environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from mlrunner import tracking
from mlrunner.core.redaction import redact
from mlrunner.groups.dataset.profile import profile
from mlrunner.tracking import create_run, experiment_id, flatten, log_dataset, log_params, provenance, sweep_id
from mlrunner.tracking.background_writer import RECORDER

if TYPE_CHECKING:
    from mlrunner.composition import Composition, Launch
    from mlrunner.composition.checks import Checked

TAG_LIMIT = 5000  # characters; MLflow refuses longer values


def begin(checked: Checked) -> str:
    """Open a run that says who runs what.

    Returns:
        The run's id.
    """
    composition = checked.composition
    experiment = experiment_id(composition.settings.tracking.experiment, checked.stack.artifact_location)
    return create_run(experiment, composition.name, tags_of(composition, checked.data.fingerprint))


def log_composition(run_id: str, checked: Checked) -> None:
    """Log every setting of a run, and its data."""
    composition, data = checked.composition, checked.data
    log_params(run_id, {**composition.launch.choices, **flatten(composition.config)})
    log_dataset(run_id, data.dataset.label, composition["dataset"], data.fingerprint)


def tags_of(composition: Composition, fingerprint: str) -> dict[str, str]:
    """Name who runs what: the tags of every run."""
    launch = composition.launch
    return {
        **provenance.tags(),
        **({"mlflow.parentRunId": launch.parent} if launch.parent is not None else {}),
        **(_place(launch.folder, launch.job) if launch.job is not None else {}),
        "mlrunner.config_hash": composition.config_hash,
        "mlrunner.data_hash": fingerprint,
        "mlrunner.folder": str(launch.folder),
        "mlrunner.overrides": told_overrides(launch),
        **{name: str(value) for name, value in composition.settings.tracking.tags.items()},
    }


def told_overrides(launch: Launch) -> str:
    """Write what differs from the default composition, as it was typed: a JSON list that fits into a tag."""
    told = [redact(text) for text in launch.telling]
    while len(text := json.dumps(told)) > TAG_LIMIT:
        told = [*told[: len(told) // 2], "…"]
    return text


def _place(folder: Path, job: int) -> dict[str, str]:
    return {"mlrunner.sweep_id": sweep_id(folder.parent), "mlrunner.trial_number": str(job)}


DATA = "data.json"
CODE = "environment/code.json"


PROFILES: dict[str, dict[str, Any]] = {}  # of the table that this process read last, by its digest and settings


def as_yaml(config: dict[str, Any]) -> str:
    """Write a composition whole, its interpolations resolved."""
    found = json.loads(json.dumps(config, default=str))
    return str(yaml.dump(found, sort_keys=False, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)))


def surroundings(run_id: str, checked: Checked) -> None:
    """Save what the data look like, and a digest of each source file that the choices run on."""
    data = checked.data
    key = json.dumps([data.fingerprint, checked.composition["dataset"]], default=str)  # of one file more or fewer rows
    if key not in PROFILES:  # the runs of a grid have one table
        PROFILES.clear()
        PROFILES[key] = profile(data.table)
    told = {"fingerprint": data.fingerprint, "target": data.dataset.target, **PROFILES[key]}
    RECORDER.later(tracking.log_documents, run_id, {DATA: told, CODE: checked.sources})


def environment(run_id: str, composition: Composition) -> None:
    """Save the composition whole, Hydra's record, the installed versions and what differs from the commit."""
    git = provenance.git()
    texts = {
        "config.yaml": as_yaml(composition.config),
        "environment/requirements.txt": provenance.packages(),
        "environment/git.json": json.dumps({name: text for name, text in git.items() if name != "diff"}),
        "environment/dirty.diff": git.get("diff", ""),
    }
    RECORDER.later(tracking.log_texts, run_id, texts)
    RECORDER.later(tracking.log_hydra, run_id, composition.launch.folder)

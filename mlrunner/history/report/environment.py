"""Where a run was made: its code, its libraries, its records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlrunner.history.report.summary import moment
from mlrunner.tracking.records.snapshot import Surroundings, surroundings

if TYPE_CHECKING:
    from mlrunner.history.report.content import Material

FIRST = (
    "scikit-learn",
    "xgboost",
    "lightgbm",
    "catboost",
    "numpy",
    "pandas",
    "optuna",
    "mlflow",
    "zenml",
    "hydra-core",
)  # what a result depends on most


@dataclass(frozen=True)
class Environment:
    """Where a run was made.

    Args:
        facts: By label.
        libraries: The versions of those that matter most.
        packages: The versions of all.
    """

    facts: Mapping[str, str]
    libraries: Mapping[str, str]
    packages: Mapping[str, str]


def environment(material: Material) -> Environment:
    """Tell where the run that leads was made; the sweep itself where none does."""
    record = material.lead or material.subject
    found = surroundings(record, material.store)
    tags = record.tags
    told = {
        "python": found.python,
        "mlrunner": tags.get("mlrunner.version"),
        "commit": found.commit,
        "branch": found.branch,
        "uncommitted": _dirty(found, tags),
        "user": tags.get("mlflow.user"),
        "started": moment(material.subject.start),
        "experiment": record.experiment,
        "MLflow run": material.subject.run_id,
        "of the best": record.run_id if record is not material.subject else None,
        "ZenML run": tags.get("mlrunner.zenml.run"),
        "composition": tags.get("mlrunner.config_hash"),
        "folder": material.subject.tags.get("mlrunner.folder"),
    }
    versions = {name.lower(): version for name, version in found.packages.items()}
    libraries = {name: versions[name] for name in FIRST if name in versions}
    return Environment({name: text for name, text in told.items() if text}, libraries, found.packages)


def _dirty(found: Surroundings, tags: Mapping[str, str]) -> str | None:
    """Say what the commit does not hold; the changes themselves are with the run in MLflow."""
    changed = sum(line.startswith("diff --git") for line in found.dirty.splitlines())
    counts = {"changed": changed, "new": len(found.untracked)}
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    if told:
        return f"{told} files; environment/dirty.diff of the run"
    return "yes" if tags.get("mlrunner.git.dirty") == "true" else None

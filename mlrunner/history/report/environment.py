"""Where a run was made: its code, its libraries, its records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlrunner.history.report.summary import format_moment
from mlrunner.tracking.records.record import (
    CONFIG_HASH_TAG,
    DIRTY_TAG,
    FOLDER_TAG,
    USER_TAG,
    VERSION_TAG,
    ZENML_RUN_TAG,
)
from mlrunner.tracking.records.snapshot import Provenance, read_provenance

if TYPE_CHECKING:
    from mlrunner.history.report.content import Content

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


def read_environment(content: Content) -> Environment:
    """Tell where the run that leads was made; the sweep itself where none does."""
    record = content.lead or content.subject
    found = read_provenance(record, content.store)
    tags = record.tags
    told = {
        "python": found.python,
        "mlrunner": tags.get(VERSION_TAG),
        "commit": found.commit,
        "branch": found.branch,
        "uncommitted": _dirty(found, tags),
        "user": tags.get(USER_TAG),
        "started": format_moment(content.subject.start),
        "experiment": record.experiment,
        "MLflow run": content.subject.run_id,
        "of the best": record.run_id if record is not content.subject else None,
        "ZenML run": tags.get(ZENML_RUN_TAG),
        "composition": tags.get(CONFIG_HASH_TAG),
        "folder": content.subject.tags.get(FOLDER_TAG),
    }
    versions = {name.lower(): version for name, version in found.packages.items()}
    libraries = {name: versions[name] for name in FIRST if name in versions}
    return Environment({name: text for name, text in told.items() if text}, libraries, found.packages)


def _dirty(found: Provenance, tags: Mapping[str, str]) -> str | None:
    """Say what the commit does not hold; the changes themselves are with the run in MLflow."""
    changed = sum(line.startswith("diff --git") for line in found.dirty.splitlines())
    counts = {"changed": changed, "new": len(found.untracked)}
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    if told:
        return f"{told} files; environment/dirty.diff of the run"
    return "yes" if tags.get(DIRTY_TAG) == "true" else None

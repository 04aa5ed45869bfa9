"""Describe the environment of a run: its code, libraries and records."""

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

# The libraries that results depend on most.
MODEL_LIBRARIES = ("scikit-learn", "xgboost", "lightgbm", "catboost")
MAIN_LIBRARIES = (*MODEL_LIBRARIES, "numpy", "pandas", "optuna", "mlflow", "zenml", "hydra-core")


@dataclass(frozen=True)
class Environment:
    """The environment of a run.

    Args:
        facts: Text by label.
        libraries: Version of the most important libraries by name.
        packages: Version of all packages by name.
    """

    facts: Mapping[str, str]
    libraries: Mapping[str, str]
    packages: Mapping[str, str]


def read_environment(content: Content) -> Environment:
    """Read the environment of the best run; of the sweep itself if all runs failed."""
    record = content.lead or content.subject
    provenance = read_provenance(record, content.store)
    tags = record.tags
    facts = {
        "python": provenance.python,
        "mlrunner": tags.get(VERSION_TAG),
        "commit": provenance.commit,
        "branch": provenance.branch,
        "uncommitted": _uncommitted(provenance, tags),
        "user": tags.get(USER_TAG),
        "started": format_moment(content.subject.start),
        "experiment": record.experiment,
        "MLflow run": content.subject.run_id,
        "best run": record.run_id if record is not content.subject else None,
        "ZenML run": tags.get(ZENML_RUN_TAG),
        "composition": tags.get(CONFIG_HASH_TAG),
        "folder": content.subject.tags.get(FOLDER_TAG),
    }
    versions = {name.lower(): version for name, version in provenance.packages.items()}
    libraries = {name: versions[name] for name in MAIN_LIBRARIES if name in versions}
    return Environment({name: text for name, text in facts.items() if text}, libraries, provenance.packages)


def _uncommitted(provenance: Provenance, tags: Mapping[str, str]) -> str | None:
    """Count the uncommitted changes; the run logs the changes themselves to MLflow."""
    changed = sum(line.startswith("diff --git") for line in provenance.dirty.splitlines())
    counts = {"changed": changed, "new": len(provenance.untracked)}
    text = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    if text:
        return f"{text} file{'s' * (sum(counts.values()) > 1)}; environment/dirty.diff of the run"
    return "yes" if tags.get(DIRTY_TAG) == "true" else None

"""A run as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import yaml

from mlrunner.core.errors import ConfigError

SWEEP, TRIAL, FOLDER = "mlrunner.sweep_id", "mlrunner.trial_number", "mlrunner.folder"
WINNER, BEST, WINNER_OF = "mlrunner.winner_run_id", "mlrunner.best_run_id", "mlrunner.winner_of"
REPRODUCES = "mlrunner.reproduces"
STUDY = "mlrunner.study"  # Optuna's name of it, of a sweep that searches
REOPENED = "mlrunner.reopened"  # when a sweep was last resumed, in milliseconds since 1970
MODEL, DATA = "mlrunner.model", "mlrunner.data_hash"
TRIALS = f"tags.`{TRIAL}` IS NOT NULL"
CONFIG = "config.yaml"
STATUSES = ("FINISHED", "FAILED", "KILLED", "RUNNING", "SCHEDULED")  # MLflow's


@dataclass(frozen=True)
class Record:
    """A run, as the store has it.

    Args:
        run_id: 32 hexadecimal digits.
        name: What differs from the default composition, or the name that was given.
        status: RUNNING, FINISHED, FAILED or KILLED (pruned).
        start: In milliseconds since 1970.
        end: The same; None while it runs.
        experiment: MLflow's name of the experiment.
        artifact_uri: Where its files are.
        params: The composition, flattened, and the choice of each group.
        metrics: By part and name (`test/r2`), the newest value of each; NaN is left out.
        tags: MLflow's own and `mlrunner.*`.
    """

    run_id: str
    name: str
    status: str
    start: int
    end: int | None
    experiment: str
    artifact_uri: str
    params: dict[str, str] = field(repr=False)
    metrics: dict[str, float] = field(repr=False)
    tags: dict[str, str] = field(repr=False)

    @property
    def short(self) -> str:
        """The first eight digits of the id, which people type."""
        return self.run_id[:8]

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it runs."""
        return None if self.end is None else (self.end - self.start) / 1000

    @property
    def is_sweep(self) -> bool:
        """Whether it is the parent of a sweep, which has no composition of its own."""
        return SWEEP in self.tags and TRIAL not in self.tags

    @property
    def metric(self) -> str:
        """The metric of its objective; the first of several."""
        told = self.params.get("objective.metric")
        if told is None:  # a search, which logs its goal as one parameter a metric
            told = next((name.removeprefix("goal.") for name in self.params if name.startswith("goal.")), "")
        return told.strip('[]"').partition('"')[0]

    @property
    def place(self) -> str:
        """What people call it: SWEEP/TRIAL, else the beginning of its id."""
        if self.is_sweep:
            return self.tags[SWEEP]
        if TRIAL in self.tags and WINNER_OF not in self.tags:
            return f"{self.tags[SWEEP]}/{self.tags[TRIAL]}"
        return self.short

    def text(self, path: str) -> str | None:
        """Read a file that the run logged; None where there is none.

        Args:
            path: Like `config.yaml` or `environment/requirements.txt`.
        """
        folder = urlparse(self.artifact_uri)
        if folder.scheme in ("", "file"):
            file = Path(unquote(folder.path)) / path
            return file.read_text(errors="replace") if file.is_file() else None
        import mlflow

        try:
            return str(mlflow.artifacts.load_text(f"{self.artifact_uri}/{path}"))
        except Exception:  # whatever the store says of a file that is not there
            return None

    def config(self) -> dict[str, Any]:
        """Read the composition, resolved, as it was frozen when the run was launched.

        Raises:
            ConfigError: When there is none, because mlrunner did not make the run or the file is gone.
        """
        told = self.text(CONFIG)
        found = None if told is None else read_yaml(told)
        if not isinstance(found, dict) or not found:
            raise ConfigError(
                f"Run {self.short} has no {CONFIG} at {self.artifact_uri}: mlrunner did not make it, or the file was "
                "removed; name another run."
            )
        return found


def read_yaml(text: str) -> Any:
    """Read YAML by libyaml, which is ten times as fast."""
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def journal_of(home: Path, name: str) -> Path:
    """Name the journal of a search's study that no other storage is named for."""
    return home / ".mlrunner" / "studies" / f"{name.replace('/', '_')}.journal"

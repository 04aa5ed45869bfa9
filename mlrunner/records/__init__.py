"""Read what runs left in MLflow's store: a run as plain values, found by MLflow's own filters.

Importing MLflow takes three seconds, so what only reads does without where the store is SQLite (`sqlite`); any other
store is asked through MLflow's client (`client`). Both answer alike: a test holds them to it.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import yaml

from mlrunner.errors import ConfigError

SQLITE = "sqlite:///"
SWEEP, TRIAL, FOLDER = "mlrunner.sweep_id", "mlrunner.trial_number", "mlrunner.folder"
WINNER, BEST, WINNER_OF = "mlrunner.winner_run_id", "mlrunner.best_run_id", "mlrunner.winner_of"
MODEL, DATA = "mlrunner.model", "mlrunner.data_hash"
TRIALS = f"tags.`{TRIAL}` IS NOT NULL"
CONFIG = "config.yaml"


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
        """The metric of its objective."""
        return str(self.params.get("objective.metric") or self.params.get("goal", "r2")).strip('[]"').partition('"')[0]

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


class Store(ABC):
    """Where runs are recorded."""

    @abstractmethod
    def search(self, where: str = "", sort: Sequence[str] = (), limit: int | None = None) -> list[Record]:
        """Find runs.

        Args:
            where: In MLflow's filter grammar, `metrics.r2 > 0.3 and params.model = 'rf'`; empty for all.
            sort: In MLflow's order grammar, `metrics.r2 DESC`; the newest first where they are equal.
            limit: How many at most; None for all.

        Raises:
            ConfigError: When the filter or the order is none of MLflow's.
        """

    @abstractmethod
    def statuses(self, sweeps: Sequence[str]) -> dict[str, dict[str, int]]:
        """Count the runs of some sweeps by status.

        Args:
            sweeps: Their ids.
        """

    @abstractmethod
    def champions(self) -> dict[str, str]:
        """Find the run of each model that the registry's alias `champion` points at, by the model's name."""

    def one(self, where: str, sort: Sequence[str] = ()) -> Record | None:
        """Find the first of the runs that `search` would find."""
        return next(iter(self.search(where, sort, 1)), None)


def tracking_uri(home: Path, overrides: Sequence[str] = ()) -> str:
    """Say where the runs are recorded: the environment's word, else the stack's.

    Args:
        home: The folder that holds `.mlrunner/`.
        overrides: Of the group `stack`; what must be composed takes Hydra's time.
    """
    if "MLFLOW_TRACKING_URI" in os.environ:
        return os.environ["MLFLOW_TRACKING_URI"]
    conf = Path(os.environ["MLRUNNER_PROJECT"]) / "conf"
    if not overrides:
        choice = next(
            one["stack"] for one in read_yaml((conf / "config.yaml").read_text())["defaults"] if "stack" in one
        )
        told = str(read_yaml((conf / "stack" / f"{choice}.yaml").read_text())["tracking_uri"])
        told = told.replace("${home}", str(home))
        if told.startswith(SQLITE) and "${" not in told:
            return told
    from hydra import compose, initialize_config_dir

    from mlrunner.build import build
    from mlrunner.composition.values import plain

    with initialize_config_dir(str(conf), version_base="1.3"):
        stack: Any = build(plain(compose("config", list(overrides)), "stack"), "stack")
    stack.announce(home)
    return os.environ["MLFLOW_TRACKING_URI"]


def open_store(home: Path, overrides: Sequence[str] = ()) -> Store:
    """Open the store for reading; nothing is made where there is none yet.

    Args:
        home: The folder that holds `.mlrunner/`.
        overrides: Of the group `stack`, like `stack=mlflow_server`.
    """
    uri = tracking_uri(home, overrides)
    from mlrunner.records import sqlite

    if uri.startswith(SQLITE):
        file = Path(uri.removeprefix(SQLITE).partition("?")[0])
        if not file.exists() or sqlite.can_read(file):
            return sqlite.SqliteStore(file)
    from mlrunner.records.client import ClientStore

    return ClientStore(uri)

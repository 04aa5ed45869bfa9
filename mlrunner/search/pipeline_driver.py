"""A search inside its ZenML run: trials as they end, then the winner; both recorded in MLflow on the way."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
from optuna.trial import TrialState

from mlrunner.core.outcome import RESULT
from mlrunner.groups.model import ModelNameConfig
from mlrunner.search import recording
from mlrunner.search.loop import FOLDER, OVERRIDES, Ended, Search
from mlrunner.search.results import best_of
from mlrunner.search.trial import FOUND, Found
from mlrunner.search.trial_queue import RETRY, VOID
from mlrunner.search.trial_tables import Shelf

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from mlrunner.steps.recording import Tracked
    from pipelines.rows import Rows


@dataclass(frozen=True)
class Told:
    """What ZenML's step records of a trial."""

    rows: Rows
    judging: Any
    told: dict[str, Any]


@dataclass(frozen=True)
class Won:
    """What ZenML's steps need for the winner."""

    rows: Rows
    told: dict[str, Any]
    judged: dict[str, Any]
    validated: dict[str, float]
    gate: dict[str, Any]
    deployer: dict[str, Any]
    tracked: Tracked


class Conduct:
    """See `pipelines.search.Conduct`."""

    def __init__(self, search: Search, experiment: str, parent: str, cache: Path) -> None:
        self.search, self.experiment, self.parent, self._cache = search, experiment, parent, cache
        self.pipeline_run = f"search-{parent[:12]}-{search.claims.session}"  # ZenML's name of this session
        self.runs: dict[int, Future[str]] = {}
        self.tracked: Tracked | None = None
        self._shelf: Shelf | None = None

    def trials(self, rows_of: Callable[..., Rows]) -> Iterator[Told]:
        """Record what an earlier session could not, then run what is left."""
        self._shelf = Shelf(rows_of, self._cache)
        self.began = self._touched = time.monotonic()
        yield from map(self._told, filter(self._record, self._unrecorded(self._shelf)))
        yield from map(self._told, filter(self._record, self.search.trials(self._shelf.tables_of)))
        self._touch()

    def _touch(self, _written: object = None) -> None:
        self._touched = time.monotonic()

    @property
    def search_seconds(self) -> float:
        """From the first table to the last trial that is recorded, in ZenML and in MLflow."""
        return self._touched - self.began

    def _unrecorded(self, shelf: Shelf) -> Iterator[Ended]:
        """Find the trials that ended just before an earlier session was killed."""
        for trial in self.search.claims.trials:
            folder = Path(str(trial.user_attrs.get(FOLDER)))
            if trial.state.is_finished() and (folder / FOUND).exists() and not (folder / RESULT).exists():
                yield self._remembered(trial, shelf)

    def _remembered(self, trial: FrozenTrial, shelf: Shelf) -> Ended:
        draft = self.search.drafts.draft(tuple(trial.user_attrs[OVERRIDES]), trial.number)
        found = Found(**json.loads((draft.folder / FOUND).read_text()))
        began = trial.datetime_start.timestamp() if trial.datetime_start is not None else 0.0
        return Ended(draft, found, shelf.tables_of(draft), began, trial.user_attrs.get(RETRY))

    def _record(self, ended: Ended) -> bool:
        """Have a trial written to MLflow.

        Returns:
            Whether it had rows, and so has a step in ZenML.
        """
        future = recording.record(ended, self.search.goal, self.experiment, self.pipeline_run)
        future.add_done_callback(self._touch)
        self.runs[ended.found.number] = future
        model = ended.draft.folder / "model.joblib"
        if model.exists():
            recording.save_trial_model(ended, future.result(), joblib.load(model))
            model.unlink()
        return ended.tables is not None

    def _told(self, ended: Ended) -> Told:
        found, draft = ended.found, ended.draft
        told = {
            "number": found.number,
            "state": found.state,
            "overrides": list(draft.overrides),
            "model": draft.composition["model"],
            "scores": {name: value for name, value in found.metrics.items() if value == value},
        }
        rows, files = ended.tables.rows[0], ended.tables.files[0]
        return Told(rows, rows.validation if files[1] else rows.folds, told)

    def winner(self) -> Iterator[Won]:
        """Tell of the best trial, unless the sweep goes on elsewhere or was interrupted."""
        search, shelf = self.search, self._shelf
        others = any(one.state == TrialState.RUNNING for one in search.claims.trials)  # ours have all ended
        best = best_of([one for one in search.claims.trials if VOID not in one.user_attrs], search.goal)
        wanted = search.settings.refit and not search.interrupts and not others
        if best is None or shelf is None or not wanted:
            return
        ended = self._remembered(best, shelf)
        composition = ended.draft.composition
        best_run = self.run_of(best.number)
        self.tracked = recording.open_winner(ended, self.experiment, self.parent, best_run, self.pipeline_run)
        groups = {"dataset": composition["dataset"], "tracked": self.tracked}
        model = ModelNameConfig(name=composition.choice("model"), settings=composition["model"])
        yield Won(
            rows=ended.tables.rows[0],
            told={**groups, "cleaning": composition["cleaning"], "model": model},
            judged={**groups, "settings": model},
            validated={name: value for name, value in ended.found.metrics.items() if value == value},
            gate=composition["gate"],
            deployer=composition["deployer"],
            tracked=self.tracked,
        )

    def run_of(self, number: int) -> str:
        """Find the MLflow run of a trial: of this session, or of an earlier one by its folder."""
        if number in self.runs:
            return self.runs[number].result()
        folder = Path(str(self.search.claims.trials[number].user_attrs[FOLDER]))
        return str(json.loads((folder / RESULT).read_text())["run_id"])

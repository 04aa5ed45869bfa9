"""Searches that run their trials in this process, on tables that no ZenML step has made."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd

from mlrunner.core import arrow
from mlrunner.core.folds import mark_partition
from mlrunner.search.executor import Event
from mlrunner.search.loop import Search
from mlrunner.search.plan import SearchPlan
from mlrunner.search.trial import TrialTask
from mlrunner.search.trial.running import TrialRunner
from mlrunner.search.trial_preparation import TrialPreparer
from tests.support.sweeps import open_memory_study, start_queue


def _never_prune(step: int, value: float) -> bool:
    del step, value
    return False


@dataclass
class InlineExecutor:
    """Runs trials in this process, when the loop waits for them."""

    size: int = 2
    submitted: list[TrialTask] = field(default_factory=list)
    is_killed: bool = False
    is_released: bool = False

    def __post_init__(self) -> None:
        self._runner, self._waiting = TrialRunner(), list[TrialTask]()

    @property
    def room(self) -> int:
        return self.size - len(self._waiting)

    def submit(self, task: TrialTask) -> None:
        self._waiting.append(task)
        self.submitted.append(task)

    def wait(self, seconds: float) -> list[Event]:
        del seconds
        tasks, self._waiting = self._waiting, []
        return [self._runner.run(task, _never_prune) for task in tasks]

    def answer(self, number: int, prune: bool) -> None:
        """Do nothing: a trial in this process does not wait."""

    def kill(self) -> None:
        self.is_killed = True

    def release(self) -> None:
        self.is_released = True

    def close(self) -> None:
        """Do nothing: nothing is open."""


@dataclass
class StoredTable:
    """A table as an artifact of ZenML gives it: in a folder of this disk, or from elsewhere."""

    id: str
    uri: str
    table: pd.DataFrame

    def load(self) -> pd.DataFrame:
        return self.table


class TableMaker:
    """Splits the rows of a data set into tables of three equal parts, and counts its calls.

    Args:
        raw: Table to split.
        folder: Folder of the tables.
        is_remote: True leaves no file in that folder.
        has_folds: True makes two folds of the training rows, and no validation rows.
    """

    def __init__(self, raw: pd.DataFrame, folder: Path, is_remote: bool = False, has_folds: bool = False) -> None:
        self.raw, self.folder, self.is_remote, self.has_folds = raw, folder, is_remote, has_folds
        self.calls: list[tuple[Any, ...]] = []

    def __call__(self, *arguments: Any) -> Any:
        self.calls.append(arguments)
        third = len(self.raw) // 3
        train = self.raw.iloc[:third]
        folds = mark_partition([index % 2 for index in range(third)], train.index)
        parts = {
            "raw": self.raw,
            "train": train,
            "validation": self.raw.iloc[third : 2 * third].head(0 if self.has_folds else None),
            "test": self.raw.iloc[2 * third :],
            "folds": folds if self.has_folds else folds.head(0),
        }
        return SimpleNamespace(**{part: self._store(part, table) for part, table in parts.items()})

    def _store(self, part: str, table: pd.DataFrame) -> StoredTable:
        name = f"{len(self.calls)}-{part}"
        folder = self.folder / name
        if not self.is_remote:
            folder.mkdir(parents=True)
            with (folder / arrow.TABLE_FILE).open("wb") as sink:
                arrow.write_table(table, sink)
        return StoredTable(name, str(folder), table)


def build_search(
    plan: SearchPlan, preparer: TrialPreparer, executor: Any = None, study: Any = None, **changes: Any
) -> Search:
    """Build a session of a planned search in a study of this process, by default a new one, with other settings."""
    settings = plan.settings.model_copy(update=changes)
    study = study or open_memory_study(*plan.objectives.directions)
    queue = start_queue(study, plan.limit)
    return Search(settings, plan.objectives, plan.space, study, queue, preparer, executor or InlineExecutor())

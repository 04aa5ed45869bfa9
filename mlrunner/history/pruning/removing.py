"""Carry out a plan, in batches: first what is outside of MLflow, then MLflow's rows, by which a run is found again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import optuna
from filelock import FileLock, Timeout

from mlrunner.core.errors import StoreError
from mlrunner.history.pruning import unused_artifacts
from mlrunner.history.pruning.files import empty_above
from mlrunner.history.pruning.mlflow_runs import Tracked
from mlrunner.history.pruning.plan import Item
from mlrunner.history.pruning.unused_artifacts import Leftover
from mlrunner.history.pruning.zenml_runs import NOTE, Pipelines
from mlrunner.tracking import study_lookup
from mlrunner.tracking.records import SWEEP, Record

LOCK = "prune.lock"
BATCH = 100  # runs that MLflow collects at once


@dataclass
class Removed:
    """The result of a removal.

    Args:
        items: The runs that are gone.
        leftovers: The entries of the cache that are gone.
        problems: A sentence for each that is not.
        for_good: Whether MLflow's rows are gone, and not only marked.
    """

    items: list[Item] = field(default_factory=list)
    leftovers: list[Leftover] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    for_good: bool = True


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Keep other prunes of this home out.

    Raises:
        StoreError: When another one is at work.
    """
    try:
        with FileLock(home / ".mlrunner" / LOCK, timeout=0):
            yield
    except Timeout as error:
        raise StoreError(f"Another mlrunner prune is removing runs of {home}; wait until it has ended.") from error


class Remover:
    """Removes runs.

    Args:
        home: The folder that holds `multirun/` and `.mlrunner/`.
        protected: Reads again which runs must stay: one may have been deployed in the meantime.
    """

    def __init__(self, home: Path, protected: Callable[[], dict[str, str]]) -> None:
        own = home / ".mlrunner"
        self.home = home
        self.protected = protected
        self.tracked = Tracked(own / "deployments")
        self.pipelines = Pipelines(own / NOTE)
        self.removed = Removed(for_good=self.tracked.is_for_good)
        self._pending: list[tuple[Item, list[str]]] = []  # with the ids of their models
        self._broken: set[str] = set()  # sweeps with a run that could not be removed: their parent stays to find it by

    def carry_out(self, items: Iterable[Item]) -> None:
        """Remove runs, a sweep's before their parent; `removed` says what is gone, also after an interruption."""
        self.pipelines.finish()
        for run_id, error in self.tracked.collect(self.tracked.interrupted()).items():
            self.removed.problems.append(f"{run_id[:8]} of an earlier prune is not removed: {_line(error)}.")
        for item in items:
            try:
                self._pending.append((item, self._remove(item)))
            except KeyboardInterrupt:
                self._report_interruption(item)
                raise
            except Exception as error:  # each store, disk and network has errors of its own; the others still go
                self._fail(item, error)
            if len(self._pending) == BATCH:
                self._collect()
        self._collect()

    def empty_cache(self) -> None:
        """Remove what no run uses."""
        for unused in unused_artifacts.tables(self.home):
            try:
                shutil.rmtree(unused.path)
                self.removed.leftovers.append(unused)
            except OSError as error:
                self.removed.problems.append(f"{unused.path} is not removed: {_line(error)}.")
        try:
            self.removed.leftovers += self.pipelines.remove_unused()
        except Exception as error:  # as above
            self.removed.problems.append(f"The step artifacts that no run uses are not removed: {_line(error)}.")

    def _remove(self, item: Item) -> list[str]:
        record, folder = item.record, item.places.folder
        reason = self.protected().get(record.run_id)
        if reason is not None:
            raise StoreError(f"it {reason} now")
        if record.is_sweep and record.tags[SWEEP] in self._broken:
            raise StoreError("one of its runs is not removed")
        self.tracked.mark(record.run_id)
        self.pipelines.remove(record)
        if record.is_sweep:
            _remove_study(item, self.home)
        if folder is not None and folder.exists():
            shutil.rmtree(folder)
            _remove_empty(empty_above(folder, self.home))
        return self.tracked.delete(record.run_id)

    def _collect(self) -> None:
        """Remove the step artifacts, files and rows of the batch."""
        batch, self._pending = self._pending, []
        if batch:
            self.pipelines.finish()
        errors = self.tracked.collect({item.record.run_id: models for item, models in batch})
        for item, _ in batch:
            if (error := errors.get(item.record.run_id)) is not None:
                self._fail(item, error)
                continue
            self.removed.items.append(item)
            if self.tracked.is_for_good:
                _remove_empty(item.places.artifacts)  # MLflow leaves them empty

    def _fail(self, item: Item, error: Exception) -> None:
        self._broken.add(item.record.tags.get(SWEEP, ""))
        self.removed.problems.append(f"{item.record.name} ({item.record.short}) is not removed: {_line(error)}.")

    def _report_interruption(self, item: Item) -> None:
        for half in (*(pending for pending, _ in self._pending), item):
            self.removed.problems.append(
                f"{half.record.name} ({half.record.short}) may be half removed: it was interrupted, "
                "and goes with whatever is removed next."
            )


def _remove_study(item: Item, home: Path) -> None:
    name, file = item.places.study_name, item.places.study
    if file is not None:
        file.unlink(missing_ok=True)
        file.with_name(f"{file.name}.lock").unlink(missing_ok=True)
    elif name is not None:
        delete_study(item.record, name, home)


def delete_study(record: Record, name: str, home: Path) -> None:
    """Delete a study from its storage, if both are there."""
    storage = study_lookup.stored(record, home, name)
    if storage is not None:
        with suppress(KeyError):  # it was deleted before
            optuna.delete_study(study_name=name, storage=storage)


def _remove_empty(folders: Iterable[Path]) -> None:
    for folder in folders:
        with suppress(OSError):  # not empty
            folder.rmdir()


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")

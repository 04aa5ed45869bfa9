"""Carry out a plan in batches: first what is outside of MLflow, then MLflow's rows, by which a run is found again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import optuna
from filelock import FileLock, Timeout

from mlrunner.core.errors import StoreError, first_line
from mlrunner.history.pruning.cache import CacheEntry, unused_tables
from mlrunner.history.pruning.mlflow_runs import MlflowRuns
from mlrunner.history.pruning.plan import Item
from mlrunner.history.pruning.zenml_runs import PENDING_FILE, ZenmlRuns
from mlrunner.tracking import study_lookup
from mlrunner.tracking.records import SWEEP_TAG, Record

LOCK_FILE = "prune.lock"
BATCH = 100  # runs per `mlflow gc`
RETRY = "the next mlrunner prune removes it"


@dataclass
class Removed:
    """The result of a removal.

    Args:
        items: Removed runs.
        cache: Removed cache entries.
        problems: One sentence for each failure.
    """

    items: list[Item] = field(default_factory=list)
    cache: list[CacheEntry] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@contextmanager
def exclusive(home: Path) -> Iterator[None]:
    """Lock the home against other prunes.

    Raises:
        StoreError: If another prune holds the lock.
    """
    try:
        with FileLock(home / ".mlrunner" / LOCK_FILE, timeout=0):
            yield
    except Timeout as error:
        raise StoreError(f"Another mlrunner prune is removing runs of {home}; wait until it has ended.") from error


class Remover:
    """Remove runs; `removed` is up to date after an interruption too.

    Args:
        home: Folder that holds `multirun/` and `.mlrunner/`.
        protected: Read the protected runs again: one may have been deployed since the plan was made.
    """

    def __init__(self, home: Path, protected: Callable[[], dict[str, str]]) -> None:
        own = home / ".mlrunner"
        self.home = home
        self.protected = protected
        self.mlflow = MlflowRuns(own / "deployments")
        self.zenml = ZenmlRuns(own / PENDING_FILE)
        self.removed = Removed()
        self._batch: list[tuple[Item, list[str]]] = []  # with the ids of their models
        self._failed_sweeps: set[str] = set()  # their parents stay, by which the remaining runs are found

    def remove(self, items: Iterable[Item]) -> None:
        """Remove runs; trials come before the parent of their sweep."""
        self.zenml.delete_pending()
        for run_id, error in self.mlflow.collect_interrupted().items():
            self._report(f"{run_id[:8]} is only marked as deleted in MLflow: {first_line(error)}")
        for item in items:
            try:
                self._batch.append((item, self._remove(item)))
            except KeyboardInterrupt:
                for partial in (*(pending for pending, _ in self._batch), item):
                    self._report(f"{_label(partial)} may be partly removed: it was interrupted; {RETRY}")
                raise
            except Exception as error:  # each store and disk raises exceptions of its own
                self._failed_sweeps.add(item.record.tags.get(SWEEP_TAG, ""))
                self._report(f"{_label(item)} is not removed: {first_line(error)}")
            if len(self._batch) == BATCH:
                self._collect()
        self._collect()

    def empty_cache(self) -> None:
        """Remove the cache entries that no run uses."""
        for entry in unused_tables(self.home):
            try:
                shutil.rmtree(entry.path)
                self.removed.cache.append(entry)
            except OSError as error:
                self._report(f"{entry.path} is not removed: {first_line(error)}")
        try:
            self.removed.cache += self.zenml.delete_unused()
        except Exception as error:  # as above
            self._report(f"The unused step artifacts are not removed: {first_line(error)}")

    def _remove(self, item: Item) -> list[str]:
        record, folder = item.record, item.folder
        reason = self.protected().get(record.run_id)
        if reason is not None:
            raise StoreError(f"it {reason} now")
        if record.is_sweep and record.tags[SWEEP_TAG] in self._failed_sweeps:
            raise StoreError("one of its runs is not removed")
        self.mlflow.tag(record.run_id)
        self.zenml.delete(record)
        if item.study is not None:
            delete_study(record, item.study, self.home)
        if folder is not None and folder.exists():
            shutil.rmtree(folder)
            top = (self.home / "multirun").resolve()
            _remove_empty(above for above in folder.parents if top in above.parents)
        return self.mlflow.delete(record.run_id)

    def _collect(self) -> None:
        """Remove the step artifacts, files and rows of the batch."""
        batch, self._batch = self._batch, []
        if not batch:
            return
        self.zenml.delete_pending()
        remaining: Iterable[str] = ()
        try:
            self.mlflow.collect({item.record.run_id: models for item, models in batch})
        except Exception as error:  # as above
            remaining = self.mlflow.uncollected()
            for item in (item for item, _ in batch if item.record.run_id in remaining):
                self._report(f"{_label(item)} is only marked as deleted in MLflow: {first_line(error)}; {RETRY}")
        for item in (item for item, _ in batch if item.record.run_id not in remaining):
            self.removed.items.append(item)
            if self.mlflow.can_collect:
                _remove_empty(item.artifacts)  # MLflow leaves empty folders

    def _report(self, problem: str) -> None:
        self.removed.problems.append(f"{problem}.")


def _label(item: Item) -> str:
    return f"{item.record.name} ({item.record.short})"


def delete_study(record: Record, name: str, home: Path) -> None:
    """Delete a study with its journal, or from its storage if both exist."""
    journal = study_lookup.find_default_journal(record, home, name)
    if journal is not None:
        journal.unlink(missing_ok=True)
        journal.with_name(f"{journal.name}.lock").unlink(missing_ok=True)
        return
    storage = study_lookup.open_existing_storage(record, home, name)
    if storage is not None:
        with suppress(KeyError):  # it was deleted before
            optuna.delete_study(study_name=name, storage=storage)


def _remove_empty(folders: Iterable[Path]) -> None:
    for folder in folders:
        with suppress(OSError):  # not empty
            folder.rmdir()

"""Carry out a plan: first what is outside of MLflow, then the rows in MLflow, by which a run is found again."""

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
    """Remove runs one by one; `removed` is up to date after an interruption too.

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
        self._failed_sweeps: set[str] = set()  # their parents stay, by which the remaining runs are found

    def remove(self, items: Iterable[Item]) -> None:
        """Complete an interrupted prune, and remove runs; trials come before the parent of their sweep."""
        self.zenml.delete_pending()
        for run_id, models in self.mlflow.uncollected().items():
            with self._reporting(f"{run_id[:8]} of an earlier prune"):
                self.mlflow.collect(run_id, models)
        for item in items:
            with self._reporting(f"{item.record.name} ({item.record.short})"):
                self._remove(item)
                self.removed.items.append(item)
                continue
            self._failed_sweeps.add(item.record.tags.get(SWEEP_TAG, ""))

    def empty_cache(self) -> None:
        """Remove the cache entries that no run uses."""
        for entry in unused_tables(self.home):
            with self._reporting(str(entry.path)):
                shutil.rmtree(entry.path)
                self.removed.cache.append(entry)
        with self._reporting("An unused step artifact"):
            self.removed.cache += self.zenml.delete_unused()

    @contextmanager
    def _reporting(self, subject: str) -> Iterator[None]:
        """Report an exception as a problem; only an interruption is raised again."""
        try:
            yield
        except KeyboardInterrupt:
            self.removed.problems.append(f"{subject} may be partly removed; the next mlrunner prune removes the rest.")
            raise
        except Exception as error:  # each store and disk raises exceptions of its own
            self.removed.problems.append(f"{subject} is not removed: {first_line(error)}.")

    def _remove(self, item: Item) -> None:
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
        self.mlflow.collect(record.run_id, self.mlflow.delete(record.run_id))
        _remove_empty(item.artifacts)  # MLflow leaves empty folders


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

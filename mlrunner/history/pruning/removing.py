"""Carry out a plan: run by run, each from what is outside of MLflow to its row there, which is what finds it again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import optuna
from filelock import FileLock, Timeout

from mlrunner.core.errors import StoreError
from mlrunner.history.pruning.files import empty_above
from mlrunner.history.pruning.mlflow_runs import Tracked
from mlrunner.history.pruning.plan import Item
from mlrunner.history.pruning.unused_artifacts import Leftover
from mlrunner.history.pruning.zenml_runs import NOTE, Pipelines
from mlrunner.tracking import study_lookup
from mlrunner.tracking.records import SWEEP, Record

LOCK = "prune.lock"
AGAIN = "it was interrupted, and goes with whatever is removed next"


@dataclass
class Removed:
    """What became of a plan.

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
        protected: Tells again which runs must stay: one may have been deployed in the meantime.
    """

    def __init__(self, home: Path, protected: Callable[[], dict[str, str]]) -> None:
        self.home = home
        self.protected = protected
        self.told = Removed()
        own = home / ".mlrunner"
        self.tracked = Tracked(own / "deployments")
        self.pipelines = Pipelines(own / NOTE)

    def carry_out(self, items: Iterable[Item], leftovers: Sequence[Leftover] = ()) -> Removed:
        """Remove what a plan names; of what is interrupted, `told` knows what is gone.

        Args:
            items: Of the plan, a sweep's runs before their parent.
            leftovers: Of the plan.
        """
        told = self.told = Removed(for_good=self.tracked.is_for_good)
        broken: set[str] = set()  # sweeps of which a run could not be removed: their parent stays to find it by
        self.pipelines.finish()
        for item in items:
            try:
                self._remove(item, broken)
                told.items.append(item)
            except KeyboardInterrupt:
                told.problems.append(f"{item.record.name} ({item.record.short}) may be half removed: {AGAIN}.")
                raise
            except Exception as error:  # each store, disk and network has errors of its own; the others still go
                broken.add(item.record.tags.get(SWEEP, ""))
                told.problems.append(f"{item.record.name} ({item.record.short}) is not removed: {_line(error)}.")
        self._empty_cache(leftovers, told)
        return told

    def _remove(self, item: Item, broken: set[str]) -> None:
        record = item.record
        reason = self.protected().get(record.run_id)
        if reason is not None:
            raise StoreError(f"it {reason} now")
        if record.is_sweep and record.tags[SWEEP] in broken:
            raise StoreError("one of its runs is not removed")
        self.tracked.mark(record.run_id)
        self.pipelines.remove(record)
        if record.is_sweep:
            self._remove_study(item)
        if item.places.folder is not None and item.places.folder.exists():
            shutil.rmtree(item.places.folder)
            _remove_days(item.places.folder, self.home)
        self.tracked.remove(record.run_id)

    def _remove_study(self, item: Item) -> None:
        name, file = item.places.study_name, item.places.study
        if file is not None:
            file.unlink(missing_ok=True)
            file.with_name(f"{file.name}.lock").unlink(missing_ok=True)
        elif name is not None:
            _delete_study(item.record, name, self.home)

    def _empty_cache(self, leftovers: Sequence[Leftover], told: Removed) -> None:
        for one in leftovers:
            try:
                if one.version is not None:
                    self.pipelines.unused([one.version])
                else:
                    shutil.rmtree(one.path)
                told.leftovers.append(one)
            except Exception as error:  # as above
                told.problems.append(f"{one.path} is not removed: {_line(error)}.")


def _delete_study(record: Record, name: str, home: Path) -> None:
    storage = study_lookup.stored(record, home, name)
    if storage is not None:
        with suppress(KeyError):  # it was deleted before
            optuna.delete_study(study_name=name, storage=storage)


def _remove_days(folder: Path, home: Path) -> None:
    with suppress(OSError):  # not empty
        for above in empty_above(folder, home):
            above.rmdir()


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")

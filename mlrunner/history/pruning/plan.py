"""Plan a prune without changing anything."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from mlrunner.core.errors import ConfigError, brief
from mlrunner.core.metric_names import GREATER_IS_BETTER
from mlrunner.history.listing.entries import NAME_PARAM
from mlrunner.history.pruning.criteria import Criteria
from mlrunner.history.pruning.files import artifact_folders, own_folder, total_size, unused_cache, used_folders
from mlrunner.history.pruning.images import Leftover
from mlrunner.history.pruning.protection import protected
from mlrunner.history.pruning.selection import SCORE_PREFIXES, active_sweeps, members_by_sweep, select
from mlrunner.tracking import study_lookup
from mlrunner.tracking.records import STUDY_TAG, SWEEP_TAG, Fields, Record, Store, lookup, quote, record

FIELDS = Fields(
    params=("objective.metric", NAME_PARAM, "blueprint", *(f"goal.{name}" for name in GREATER_IS_BETTER)),
    tags=tuple(tag for name, tag in vars(record).items() if name.endswith("_TAG")),
)


@dataclass(frozen=True)
class Item:
    """A run to remove, with its files.

    Args:
        record: Run, or parent of a sweep.
        folder: Folder under `multirun/`; None if no folder may be removed.
        artifacts: Folders of the run and its model in MLflow's store; empty if the store is elsewhere.
        study: Name of a search's study; None for a run, and if another search uses it.
        bytes: Size of the folders.
    """

    record: Record
    folder: Path | None = None
    artifacts: tuple[Path, ...] = ()
    study: str | None = None
    bytes: int = 0


@dataclass(frozen=True)
class Plan:
    """What a prune removes and keeps.

    Args:
        items: Runs to remove, trials before the parent of their sweep.
        exclusions: Runs that meet the criteria and stay, each with the reason.
        cache: Size in bytes of each cache entry to remove.
        is_cache_busy: Whether the cache stays because a sweep is running.
        leftovers: Docker images and containers to remove.
    """

    items: list[Item]
    exclusions: list[tuple[Record, str]] = field(default_factory=list)
    cache: dict[Path, int] = field(default_factory=dict)
    is_cache_busy: bool = False
    leftovers: list[Leftover] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to remove."""
        return not self.items and not self.cache and not self.leftovers

    @property
    def bytes(self) -> int:
        """Size of the files, without step artifacts that runs may share."""
        sized: list[Item | Leftover] = [*self.items, *self.leftovers]
        return sum(each.bytes for each in sized) + sum(self.cache.values())


def make_plan(store: Store, home: Path, criteria: Criteria, with_cache: bool = False) -> Plan:
    """Plan what to remove.

    Args:
        store: Store of the runs.
        home: Folder that holds `multirun/` and `.mlrunner/`.
        criteria: Conditions that a run must meet.
        with_cache: Whether to remove unused cache entries, unless a sweep is running: its workers read from there.
    """
    records, now = read_all(store), time.time()
    is_searched = partial(study_lookup.is_search_running, home=home)
    selected, reasons = select(records, criteria, protected(store, home), now, is_searched)
    ids = {run.run_id for run in selected}
    staying = [run for run in records if run.run_id not in ids]
    used, studies = used_folders(staying), {run.tags.get(STUDY_TAG) for run in staying if run.is_sweep}
    items = [_item(run, home, used, studies) for run in selected]
    exclusions = [(run, reasons[run.run_id]) for run in records if run.run_id in reasons]
    is_busy = with_cache and bool(active_sweeps(records, members_by_sweep(records), now, is_searched))
    return Plan(items, exclusions, unused_cache(home) if with_cache and not is_busy else {}, is_busy)


def _item(run: Record, home: Path, used: set[Path], studies: set[str | None]) -> Item:
    folder, artifacts = own_folder(run, home, used), artifact_folders(run)
    study = run.tags.get(STUDY_TAG) if run.is_sweep else None
    total = sum(map(total_size, artifacts if folder is None else (folder, *artifacts)))
    return Item(run, folder, artifacts, None if study in studies else study, total)


def read_all(store: Store) -> list[Record]:
    """Read every run, newest first, with the scores of its objective only: thousands of runs in a second."""
    records = store.search(fields=FIELDS)
    if any(run.metrics for run in records):  # this store always reads all fields
        return records
    names = sorted({f"{prefix}{run.metric}" for run in records if run.metric for prefix in SCORE_PREFIXES})
    scores = {run.run_id: run.metrics for run in store.search(fields=Fields(metrics=tuple(names)))}
    return [replace(run, metrics=scores.get(run.run_id, {})) for run in records]


def find_named(store: Store, names: Sequence[str], home: Path) -> frozenset[str] | None:
    """Find the ids of named runs, and of all runs of named sweeps; None if no name is given.

    Raises:
        ConfigError: If no run has a name, or several have it.
    """
    if not names:
        return None
    runs = [_find_single(store, name, home) for name in names]
    sweeps = {run.tags[SWEEP_TAG] for run in runs if run.is_sweep}
    members = members_by_sweep(read_all(store)) if sweeps else {}
    return frozenset(run.run_id for run in [*runs, *(run for sweep in sweeps for run in members.get(sweep, ()))])


def _find_single(store: Store, name: str, home: Path) -> Record:
    """Find a run by name; other verbs take the newest of several runs with one name, a removal must not."""
    run = lookup.find(store, name, home)
    where = f"attributes.run_name = {quote(name)}"
    same_name = store.search(where, fields=Fields()) if run.name == name else []
    if len(same_name) > 1:
        ids = brief(same.short for same in same_name)
        raise ConfigError(f'{len(same_name)} runs have the name {name}: {ids}; give an id, or --where "{where}".')
    return run

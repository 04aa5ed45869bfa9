"""What a prune would do, without doing it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from mlrunner.core.errors import ConfigError, brief
from mlrunner.core.metric_names import GREATER_IS_BETTER
from mlrunner.history.listing.entries import NAMED, OVERRIDES, ZENML
from mlrunner.history.pruning import MARK, Criteria, Stay, unused_artifacts
from mlrunner.history.pruning.files import Places, in_use, is_outside, places, size
from mlrunner.history.pruning.protection import protected
from mlrunner.history.pruning.selection import PARTS, members_of, running, select
from mlrunner.tracking import study_lookup
from mlrunner.tracking.records import (
    DATA,
    FOLDER,
    MODEL,
    REOPENED,
    REPRODUCES,
    STUDY,
    SWEEP,
    TRIAL,
    WINNER_OF,
    Only,
    Record,
    Store,
    lookup,
    quoted,
)

ASKED = Only(
    params=("objective.metric", NAMED, "blueprint", *(f"goal.{name}" for name in GREATER_IS_BETTER)),
    tags=(FOLDER, SWEEP, TRIAL, WINNER_OF, DATA, MODEL, MARK, STUDY, REOPENED, REPRODUCES, OVERRIDES, ZENML),
)


@dataclass(frozen=True)
class Item:
    """A run that goes.

    Args:
        record: The run.
        places: Its files.
        bytes: Their size.
    """

    record: Record
    places: Places
    bytes: int


@dataclass(frozen=True)
class Plan:
    """What goes and what stays.

    Args:
        items: The runs, a sweep's before their parent.
        staying: What was chosen too, with the reasons.
        leftovers: Entries of the cache that no run uses.
        waits: They were asked for, but stay while a sweep runs.
        outside: Folders of the runs that stay, for they are not under `multirun/`.
    """

    items: list[Item]
    staying: list[Stay]
    leftovers: list[unused_artifacts.Leftover]
    waits: bool = False
    outside: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Size of the files, without step artifacts that ZenML may share between runs."""
        return sum(item.bytes for item in self.items) + sum(unused.bytes for unused in self.leftovers)


def plan(store: Store, home: Path, criteria: Criteria, with_cache: bool = False) -> Plan:
    """Find what meets the criteria, and what of it must stay.

    Args:
        store: Where runs are recorded.
        home: The folder that holds `multirun/` and `.mlrunner/`.
        criteria: What is asked for.
        with_cache: Also what no run uses any more; nothing while a sweep runs, whose workers read from there.
    """
    records, now = everything(store), time.time()
    is_searched = partial(study_lookup.is_searched, home=home)
    chosen = select(records, criteria, protected(store, home), now, is_searched)
    going = {run.run_id for run in chosen.going}
    left = [run for run in records if run.run_id not in going]
    used, studies = in_use(left), {run.tags.get(STUDY) for run in left if run.is_sweep}
    items = [_item(run, places(run, home, used, studies)) for run in chosen.going]
    waits = with_cache and bool(running(records, members_of(records), now, is_searched))
    unused = unused_artifacts.leftovers(home) if with_cache and not waits else []
    folders = {item.record.tags.get(FOLDER) for item in items if item.places.folder is None}
    outside = sorted(folder for folder in folders if folder and is_outside(folder, home))
    return Plan(items, chosen.staying, unused, waits, tuple(outside))


def _item(record: Record, files: Places) -> Item:
    return Item(record, files, sum(map(size, files.all)))


def everything(store: Store) -> list[Record]:
    """Read every run, newest first, with the metric of its objective only: thousands of runs in a second."""
    records = store.search(only=ASKED)
    if any(run.metrics for run in records):  # a store that reads all at once
        return records
    names = sorted({f"{part}{run.metric}" for run in records if run.metric for part in PARTS})
    scores = {run.run_id: run.metrics for run in store.search(only=Only(metrics=tuple(names)))}
    return [replace(run, metrics=scores.get(run.run_id, {})) for run in records]


def named(store: Store, names: Sequence[str], home: Path) -> frozenset[str] | None:
    """Find the runs that were named; a sweep stands for its parent and all of its runs.

    Returns:
        The runs' ids; None when nothing was named.

    Raises:
        ConfigError: When there is none of a name, or several.
    """
    if not names:
        return None
    runs = [_only(store, name, lookup.find(store, name, home)) for name in names]
    sweeps = {run.tags[SWEEP] for run in runs if run.is_sweep}
    members = members_of(everything(store)) if sweeps else {}
    return frozenset(run.run_id for run in [*runs, *(run for sweep in sweeps for run in members.get(sweep, ()))])


def _only(store: Store, name: str, found: Record) -> Record:
    """Refuse a name that several runs have, of which other verbs take the newest."""
    where = f"attributes.run_name = {quoted(name)}"
    same = store.search(where, only=Only()) if found.name == name else []
    if len(same) > 1:
        ids = brief(run.short for run in same)
        raise ConfigError(f'{len(same)} runs are called {name}: {ids}; name them by id, or all by --where "{where}".')
    return found

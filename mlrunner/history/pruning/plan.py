"""What a prune would do, without doing it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mlrunner.core.errors import ConfigError, brief
from mlrunner.history.pruning import Criteria, Stay, unused_artifacts
from mlrunner.history.pruning.files import Places, in_use, is_outside, places, size
from mlrunner.history.pruning.loading import everything
from mlrunner.history.pruning.protection import protected
from mlrunner.history.pruning.selection import members_of, running, select
from mlrunner.tracking import study_lookup
from mlrunner.tracking.records import FOLDER, STUDY, SWEEP, Only, Record, Store, lookup, quoted


@dataclass(frozen=True)
class Item:
    """A run that goes.

    Args:
        record: The run.
        places: Its files.
        bytes: Their size, and that of the step artifacts that go with it.
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
        """All that would be freed on this disk, but for the rows of the databases."""
        return sum(one.bytes for one in self.items) + sum(one.bytes for one in self.leftovers)


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
    going = {one.run_id for one in chosen.going}
    used = in_use(one for one in records if one.run_id not in going)
    studies = {one.tags.get(STUDY) for one in records if one.is_sweep and one.run_id not in going}
    counted: set[Path] = set()
    items, steps = [], unused_artifacts.steps_of(home, going)
    for one in chosen.going:
        found = places(one, home, used, studies)
        files = [*found.all, *steps.get(one.run_id, ())]
        items.append(Item(one, found, sum(size(path, counted) for path in files)))
        counted.update(found.all)
    waits = with_cache and bool(running(records, members_of(records), now, is_searched))
    unused = unused_artifacts.leftovers(home) if with_cache and not waits else []
    left = {one.record.tags.get(FOLDER) for one in items if one.places.folder is None}
    outside = sorted(folder for folder in left if folder and is_outside(folder, home))
    return Plan(items, chosen.staying, unused, waits, tuple(outside))


def named(store: Store, names: Sequence[str], home: Path) -> frozenset[str] | None:
    """Find what was named; a sweep stands for its parent and all of its runs.

    Returns:
        The runs' ids; None when nothing was named.

    Raises:
        ConfigError: When there is none of a name, or several.
    """
    if not names:
        return None
    found = [_only(store, name, lookup.find(store, name, home)) for name in names]
    ids = {one.run_id for one in found}
    sweeps = {one.tags[SWEEP] for one in found if one.is_sweep}
    if sweeps:
        members = members_of(everything(store))
        ids |= {run.run_id for sweep in sweeps for run in members.get(sweep, ())}
    return frozenset(ids)


def _only(store: Store, name: str, found: Record) -> Record:
    """Refuse a name that several runs have, of which other verbs take the newest."""
    where = f"attributes.run_name = {quoted(name)}"
    same = store.search(where, only=Only()) if found.name == name else []
    if len(same) > 1:
        ids = brief(one.short for one in same)
        raise ConfigError(f'{len(same)} runs are called {name}: {ids}; name them by id, or all by --where "{where}".')
    return found

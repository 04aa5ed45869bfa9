"""Find a run by what a person calls it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from mlrunner.core.errors import ConfigError, nearest
from mlrunner.core.metric_names import greater_is_better
from mlrunner.tracking.records import (
    BEST,
    DATA,
    FOLDER,
    MODEL,
    REPRODUCES,
    SWEEP,
    TRIAL,
    WINNER,
    WINNER_OF,
    Record,
    Store,
    quoted,
)

SHOWN = 5  # ids in a message
FEW, LONG = 3, 40  # runs that are told of in a message, and letters of their names
CLOSE = 200  # newest names that a misspelt one is compared with
SPECIAL = ("latest", "best", "champion")
AGO = re.compile(r"latest~(\d{1,4})")
ID = re.compile(r"[0-9a-f]{4,32}")
WHOLE = 32  # digits of an id
# What another program recorded has no composition, and a sweep's parent none of its own.
OWN = f"tags.`{DATA}` IS NOT NULL and tags.`{WINNER}` IS NULL and tags.`{BEST}` IS NULL"
NEWEST = ("attributes.start_time DESC",)


def find(store: Store, name: str, home: Path, saved: bool = False) -> Record:
    """Find a run or a sweep.

    Args:
        store: Where runs are recorded.
        name: `latest` (of mlrunner's own), `latest~2` (the second before it), `best` (by its test score, of those on
            the newest one's data and metric; no reproduction), `champion` or `MODEL@champion` (what is deployed), a
            run's id or the beginning of one, its folder, a sweep (`DAY/TIME`), one of its runs (`DAY/TIME/NUMBER`),
            or a name.
        home: The folder that holds `multirun/`.
        saved: Whether `latest` and `best` mean runs that saved a model only.

    Raises:
        ConfigError: When there is none, or several whose ids begin so.
    """
    ways: tuple[Callable[[], list[Record]], ...] = (
        lambda: _special(store, name, saved),
        lambda: _by_id(store, name),
        lambda: _by_folder(store, name, home),
        lambda: _by_place(store, name),
        lambda: _by_name(store, name),
    )
    found: list[Record] = next((few for way in ways if (few := way())), [])
    if len(found) > 1:
        told = ", ".join(run.run_id[: len(name) + 4] for run in found[:SHOWN])
        raise ConfigError(f"'{name}' begins the ids of {len(found)} runs ({told}); write more of it.")
    if not found:
        raise ConfigError(_unknown(store, name, saved))
    return found[0]


def leading(store: Store, record: Record) -> Record:
    """Follow a sweep to its winner, or to its best run where nothing was refitted; a run leads to itself."""
    wanted = record.tags.get(WINNER) or record.tags.get(BEST)
    return (by_id(store, wanted) or record) if wanted else record


def by_id(store: Store, run_id: str) -> Record | None:
    """Find a run by its whole id."""
    return store.one(f"attributes.run_id = {quoted(run_id)}")


def _special(store: Store, name: str, saved: bool) -> list[Record]:
    only = f" and tags.`{MODEL}` IS NOT NULL" if saved else ""
    ago = AGO.fullmatch(name)
    if name == "latest" or ago is not None:
        back = int(ago[1]) if ago is not None else 0
        return store.search(f"attributes.status = 'FINISHED' and {OWN}{only}", NEWEST, back + 1)[back:]
    if name == "best":
        return _best(store, only)
    if name == "champion" or name.endswith("@champion"):
        return [_champion(store, name.rpartition("@")[0])]
    return []


def _best(store: Store, only: str) -> list[Record]:
    able = f"attributes.status = 'FINISHED' and {OWN}{only}"
    newest = store.one(f"{able} and params.`objective.metric` IS NOT NULL", NEWEST)
    if newest is None:
        return []
    metric, is_greater = newest.metric, greater_is_better(newest.metric)
    score, data = f"test/{metric}", quoted(newest.tags.get(DATA, ""))
    order = (f"metrics.`{score}` {'DESC' if is_greater else 'ASC'}",)
    found: list[Record] = []
    for same in (f"= '{metric}'", f"LIKE '[\"{metric}\"%'"):  # alone, or the first of several
        where = f"{able} and tags.`{REPRODUCES}` IS NULL and tags.`{DATA}` = {data}"
        where += f" and params.`objective.metric` {same}"
        found += [run for run in store.search(where, order, 1) if score in run.metrics]
    found.sort(key=lambda run: run.metrics[score], reverse=is_greater)
    return found[:1] or [newest]


def _champion(store: Store, model: str) -> Record:
    known = store.champions()
    if model and model not in known:
        raise ConfigError(f"'{model}' has no champion; {_served(known)}.{nearest(model, known)}")
    if not model and len(known) != 1:
        raise ConfigError(f"champion is {'nobody' if not known else 'several'}; {_served(known)}.")
    run_id = known[model or next(iter(known))]
    found = by_id(store, run_id)
    if found is None:
        raise ConfigError(f"The run {run_id[:8]} of the champion is not in the store any more; name another run.")
    return found


def _served(known: dict[str, str]) -> str:
    names = ", ".join(f"{model}@champion" for model in known)
    return f"there is {names}" if known else "nothing is deployed yet: mlrunner deploy RUN"


def _by_id(store: Store, name: str) -> list[Record]:
    """Find the runs whose ids begin so; where a run is called so, that one, and no other that begins so by chance."""
    if not ID.fullmatch(name):
        return []
    if len(name) == WHOLE:
        return store.search(f"attributes.run_id = '{name}'", limit=1)
    return _by_name(store, name) or store.search(f"attributes.run_id LIKE '{name}%'")


def _by_name(store: Store, name: str) -> list[Record]:
    return store.search(f"attributes.run_name = {quoted(name)}", limit=1)


def _by_folder(store: Store, name: str, home: Path) -> list[Record]:
    told = Path(name)
    for folder in dict.fromkeys((told.absolute(), told.resolve(), home / "multirun" / name)):
        found = store.search(f"tags.`{FOLDER}` = {quoted(str(folder))}")
        if found:
            return _one(found)
    return []


def _by_place(store: Store, name: str) -> list[Record]:
    """Find a sweep by its id, or one of its runs, wherever its folder is now."""
    sweep, _, number = name.rpartition("/")
    if "/" in name and sweep.count("/") == 0:
        return _one(store.search(f"tags.`{SWEEP}` = {quoted(name)} and tags.`{TRIAL}` IS NULL"))
    if sweep and number.isdigit():
        return _one(store.search(f"tags.`{SWEEP}` = {quoted(sweep)} and tags.`{TRIAL}` = '{number}'"))
    return []


def _one(found: list[Record]) -> list[Record]:
    """Prefer a sweep to its winner, and a trial to the refit of it, which has its folder."""
    first = [run for run in found if run.is_sweep] or [run for run in found if WINNER_OF not in run.tags]
    return (first or found)[:1]


def _unknown(store: Store, name: str, saved: bool) -> str:
    known = store.search(limit=CLOSE)
    if not known:
        return f"'{name}' is no run: there is none yet; start one with mlrunner."
    if name in SPECIAL or AGO.fullmatch(name):
        few = "there are not so many runs that came to their end" if "~" in name else "none has come to its end yet"
        return f"'{name}' is no run: {few}{' and saved a model' * saved}; mlrunner runs tells what there is."
    told = ", ".join(f"{run.short} ({_cut(run.name)})" for run in [run for run in known if not run.is_sweep][:FEW])
    return (
        f"'{name}' is no run.{nearest(name, [*SPECIAL, *(run.name for run in known)])} Name one by its id or the "
        "beginning of it, its name, its folder, a sweep's DAY/TIME, latest, best or champion"
        f"{f'; the newest are {told}' if told else ''}."
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONG else f"{text[: LONG - 1]}…"

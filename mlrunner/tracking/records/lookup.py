"""Find a run by the name that a user gives: an id, a folder, a place in a sweep, an alias or the run's name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from mlrunner.core.errors import ConfigError, nearest
from mlrunner.tracking.records import (
    BEST_TAG,
    DATA_TAG,
    FOLDER_TAG,
    MODEL_TAG,
    REPRODUCES_TAG,
    STUDY_TAG,
    SWEEP_TAG,
    TRIAL_TAG,
    WINNER_OF_TAG,
    WINNER_TAG,
    Record,
    Store,
    quote,
)
from mlrunner.tracking.records.record import INVALID_TAG, TEST_ROWS_TAG

IDS_IN_MESSAGE = 5
RUNS_IN_MESSAGE, NAME_LENGTH = 3, 40  # the newest runs, and the characters of their names
CANDIDATES = 200  # newest runs whose names are compared with a misspelt one
ALIASES = ("latest", "best", "champion")
LATEST = re.compile(r"latest~(\d{1,4})")
ID = re.compile(r"[0-9a-f]{4,32}")
ID_LENGTH = 32
# Runs with a composition of their own: not those of other programs, nor the parents of sweeps.
COMPOSED = f"tags.`{DATA_TAG}` IS NOT NULL and tags.`{WINNER_TAG}` IS NULL and tags.`{BEST_TAG}` IS NULL"
NEWEST = ("attributes.start_time DESC",)


def find(store: Store, name: str, home: Path, saved: bool = False) -> Record:
    """Find a run or a sweep.

    Args:
        store: Tracking store.
        name: `latest` (newest run of mlrunner), `latest~2` (the second before it), `best` (highest test score among
            the runs with the newest run's metric, data, target and test rows, neither invalid nor reproductions),
            `champion` or `MODEL@champion` (the deployed run), an id or its start, a folder, a sweep (`DAY/TIME`), one
            of its runs (`DAY/TIME/NUMBER`), or a run's name, or that of a search's study.
        home: Folder that holds `multirun/`.
        saved: Whether `latest` and `best` select only runs that saved a model.

    Raises:
        ConfigError: If no run matches, or several ids start with `name`.
    """
    searches: tuple[Callable[[], list[Record]], ...] = (
        lambda: _find_alias(store, name, saved),
        lambda: _find_by_id(store, name),
        lambda: _find_by_folder(store, name, home),
        lambda: _find_by_place(store, name),
        lambda: _find_by_name(store, name),
        lambda: store.search(f"tags.`{STUDY_TAG}` = {quote(name)}", limit=1),
    )
    matches: list[Record] = next((records for search in searches if (records := search())), [])
    if len(matches) > 1:
        ids = ", ".join(run.run_id[: len(name) + 4] for run in matches[:IDS_IN_MESSAGE])
        raise ConfigError(f"'{name}' matches {len(matches)} runs ({ids}); give more characters.")
    if not matches:
        raise ConfigError(_explain_missing(store, name, saved))
    return matches[0]


def resolve_sweep(store: Store, record: Record) -> Record:
    """Return a sweep's winner, or its best run where nothing was refitted; any other run is returned itself."""
    run_id = record.tags.get(WINNER_TAG) or record.tags.get(BEST_TAG)
    return (find_by_id(store, run_id) or record) if run_id else record


def list_sweep_folders(name: str, home: Path) -> Iterator[Path]:
    """List where a sweep may lie: `name` as a path, as day and time below `multirun/`, or as the time alone."""
    yield Path(name)
    yield home / "multirun" / name
    yield from sorted((home / "multirun").glob(f"*/{name}"), reverse=True)


def find_by_id(store: Store, run_id: str) -> Record | None:
    """Return the run of a full id, or None."""
    return store.find_first(f"attributes.run_id = {quote(run_id)}")


def _find_alias(store: Store, name: str, saved: bool) -> list[Record]:
    condition = f" and tags.`{MODEL_TAG}` IS NOT NULL" if saved else ""
    match = LATEST.fullmatch(name)
    if name == "latest" or match is not None:
        offset = int(match[1]) if match is not None else 0
        return store.search(f"attributes.status = 'FINISHED' and {COMPOSED}{condition}", NEWEST, offset + 1)[offset:]
    if name == "best":
        return _find_best(store, condition)
    if name == "champion" or name.endswith("@champion"):
        return [_find_champion(store, name.rpartition("@")[0])]
    return []


def _find_best(store: Store, condition: str) -> list[Record]:
    finished = f"attributes.status = 'FINISHED' and {COMPOSED} and tags.`{INVALID_TAG}` IS NULL{condition}"
    newest = store.find_first(f"{finished} and params.`objective.metric` IS NOT NULL", NEWEST)
    if newest is None:
        return []
    metric, is_greater = newest.metric, newest.maximizes
    score, data = f"test/{metric}", quote(newest.tags.get(DATA_TAG, ""))
    rows = newest.tags.get(TEST_ROWS_TAG)
    is_same_rows = "IS NULL" if rows is None else f"= {quote(rows)}"
    order = (f"metrics.`{score}` {'DESC' if is_greater else 'ASC'}",)
    best: list[Record] = []
    for is_metric in (f"= '{metric}'", f"LIKE '[\"{metric}\"%'"):  # alone, or the first of several
        where = f"{finished} and tags.`{REPRODUCES_TAG}` IS NULL and tags.`{DATA_TAG}` = {data}"
        where += f" and tags.`{TEST_ROWS_TAG}` {is_same_rows}"
        where += f" and params.`objective.metric` {is_metric}"
        best += [run for run in store.search(where, order, 1) if score in run.metrics]
    best.sort(key=lambda run: run.metrics[score], reverse=is_greater)
    return best[:1] or [newest]


def _find_champion(store: Store, model: str) -> Record:
    champions = store.find_champions()
    if not champions:
        raise ConfigError("there is no champion: nothing is deployed yet; deploy a run with mlrunner deploy RUN.")
    names = ", ".join(f"{name}@champion" for name in champions)
    if model and model not in champions:
        raise ConfigError(f"there is no champion of '{model}'; available: {names}.{nearest(model, champions)}")
    if not model and len(champions) > 1:
        raise ConfigError(f"there are {len(champions)} champions; name one of {names}.")
    run_id = champions[model or next(iter(champions))]
    record = find_by_id(store, run_id)
    if record is None:
        raise ConfigError(f"the champion's run {run_id[:8]} is no longer in the store; name another run.")
    return record


def _find_by_id(store: Store, name: str) -> list[Record]:
    """Find runs by the start of their ids; a run with exactly this name comes first."""
    if not ID.fullmatch(name):
        return []
    if len(name) == ID_LENGTH:
        return store.search(f"attributes.run_id = '{name}'", limit=1)
    return _find_by_name(store, name) or store.search(f"attributes.run_id LIKE '{name}%'")


def _find_by_name(store: Store, name: str) -> list[Record]:
    return store.search(f"attributes.run_name = {quote(name)}", limit=1)


def _find_by_folder(store: Store, name: str, home: Path) -> list[Record]:
    path = Path(name)
    for folder in dict.fromkeys((path.absolute(), path.resolve(), home / "multirun" / name)):
        records = store.search(f"tags.`{FOLDER_TAG}` = {quote(str(folder))}")
        if records:
            return _prefer_original(records)
    return []


def _find_by_place(store: Store, name: str) -> list[Record]:
    """Find a sweep by its id, or one of its runs by its number, wherever its folder is now."""
    sweep, _, number = name.rpartition("/")
    if "/" in name and sweep.count("/") == 0:
        where = f"tags.`{SWEEP_TAG}` = {quote(name)} and tags.`{TRIAL_TAG}` IS NULL"
        return _prefer_original(store.search(where))
    if sweep and number.isdigit():
        where = f"tags.`{SWEEP_TAG}` = {quote(sweep)} and tags.`{TRIAL_TAG}` = '{number}'"
        return _prefer_original(store.search(where))
    return []


def _prefer_original(records: list[Record]) -> list[Record]:
    """Keep one run: a sweep before its winner, and a trial before its refit, which has the same folder."""
    originals = [run for run in records if run.is_sweep] or [run for run in records if WINNER_OF_TAG not in run.tags]
    return (originals or records)[:1]


def _explain_missing(store: Store, name: str, saved: bool) -> str:
    runs = store.search(limit=CANDIDATES)
    if not runs:
        return f"No run matches '{name}': there are no runs yet; start one with mlrunner."
    if name in ALIASES or LATEST.fullmatch(name):
        suffix = " and saved a model" if saved else ""
        reason = f"fewer runs have finished{suffix}" if "~" in name else f"no run has finished{suffix} yet"
        return f"No run matches '{name}': {reason}; mlrunner runs lists all runs."
    newest = [run for run in runs if not run.is_sweep][:RUNS_IN_MESSAGE]
    listed = ", ".join(f"{run.short} ({_shorten(run.name)})" for run in newest)
    return (
        f"No run matches '{name}'.{nearest(name, [*ALIASES, *(run.name for run in runs)])} Give an id or its start, a "
        "name, a folder, a sweep's DAY/TIME or study, latest, best or champion"
        f"{f'; the newest runs are {listed}' if listed else ''}."
    )


def _shorten(text: str) -> str:
    return text if len(text) <= NAME_LENGTH else f"{text[: NAME_LENGTH - 1]}…"

"""Tag runs after they have ended; the tag `invalid` takes a run out of `best`, champions and warm starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mlrunner.composition.stores import export_tracking_uri, open_store
from mlrunner.core.errors import ConfigError
from mlrunner.tracking.records import SWEEP_TAG, Record, lookup, quote
from mlrunner.tracking.records.record import INVALID_TAG

INVALID = "invalid"  # what users type for INVALID_TAG
RESERVED = ("mlrunner.", "mlflow.")
MAX_LENGTH = 5000  # characters; MLflow refuses longer values


def parse_tags(words: Iterable[str]) -> dict[str, str]:
    """Parse `NAME=VALUE` words.

    Raises:
        ConfigError: If `words` is empty, or one has no `=`.
    """
    tags = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"'{word}' is not a tag; write NAME=VALUE, like invalid=\"the target leaks\".")
        tags[name.strip()] = value.strip()
    if not tags:
        raise ConfigError('mlrunner tag needs a tag: NAME=VALUE, like invalid="the target leaks".')
    return tags


def tag_run(name: str, home: Path, tags: Mapping[str, str], overrides: Sequence[str] = ()) -> list[Record]:
    """Set tags of a run, and of all runs of a sweep; an empty value removes the tag.

    Args:
        name: Name of the run or sweep; see `lookup.find`.
        home: Folder that holds `multirun/`.
        tags: Values by name; `invalid` is the reason why the run must not be used.
        overrides: Overrides of the `stack` group.

    Returns:
        The runs that were tagged.

    Raises:
        ConfigError: If there is no such run, or a tag is reserved or too long.
    """
    _check(tags)
    store = open_store(home, overrides)
    export_tracking_uri(home)
    record = lookup.find(store, name, home)
    members = store.search(f"tags.`{SWEEP_TAG}` = {quote(record.tags[SWEEP_TAG])}") if record.is_sweep else []
    records = [record, *(run for run in members if run.run_id != record.run_id)]
    stored = {INVALID_TAG if key == INVALID else key: value for key, value in tags.items()}
    from mlrunner.tracking import run_log

    for run in records:
        run_log.set_tags(run.run_id, {key: value for key, value in stored.items() if value})
        run_log.delete_tags(run.run_id, [key for key, value in stored.items() if not value and key in run.tags])
    return records


def _check(tags: Mapping[str, str]) -> None:
    for name, value in tags.items():
        if name.startswith(RESERVED):
            raise ConfigError(f"{name}= is a tag of {name.partition('.')[0]}'s own; choose a name without that prefix.")
        if len(value) > MAX_LENGTH:
            raise ConfigError(f"{name} has {len(value):,} characters, but MLflow stores {MAX_LENGTH:,}; shorten it.")

"""The columns of a table of runs or sweeps, with exact values and values for people."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.text import Text

from mlrunner.core.errors import ConfigError, nearest
from mlrunner.core.formatting import format_number, format_seconds
from mlrunner.history.listing.deployments import READY, SERVING
from mlrunner.history.listing.entries import Entry, format_iso
from mlrunner.history.listing.sweep import SweepEntry
from mlrunner.tracking.records import FOLDER_TAG, SWEEP_TAG, TRIAL_TAG

STATUS_STYLES = {"FAILED": "red", "RUNNING": "yellow", "KILLED": "dim", "PRUNED": "dim", "FINISHED": "green"}
STATE_STYLES = {SERVING: "bold green", READY: "green"}
KEYED = re.compile(r"(metrics|params|tags)\.(.+)")
LONG_PATH = re.compile(r"(?:[\w.+-]+:/)?/(?:[^/,\[\]()'\"]+/)+([^/,\[\]()'\"]+)")
DIGITS = re.compile(r"-?\d+\.\d{4,}(?:e-?\d+)?")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
RANGE = re.compile(r"\w\(")
EMPTY_CELL = "-"


@dataclass(frozen=True)
class EntryColumn:
    """A column of a table of runs or sweeps.

    Args:
        name: Name, as in `--columns`.
        exact: Function that returns the exact value of an entry; None for no value.
        display: Function that returns the value for people; None to show the exact value.
        right: Whether the values are aligned to the right.
        wide: Whether a value may take several lines.
    """

    name: str
    exact: Callable[[Entry], Any]
    display: Callable[[Entry], Any] | None = None
    right: bool = False
    wide: bool = False

    def text(self, entry: Entry) -> Text:
        """Format a cell for people; a dash if it is empty."""
        value = self.exact(entry) if self.display is None else self.display(entry)
        if isinstance(value, Text):
            return value
        if isinstance(value, float):
            value = format_number(value)
        return Text(EMPTY_CELL, "dim") if value in (None, "", []) else Text(sanitize(str(value)))


def sanitize(text: str) -> str:
    """Remove control characters: other users of the store choose the names of their runs."""
    return CONTROL.sub(" ", text)


def shorten_override(override: str) -> str:
    """Shorten an override to the last part of its key, four digits and file names."""
    key, equals, value = override.partition("=")
    if RANGE.search(value) or override == "blueprint=true":  # a range of a search, or a key without a value to show
        return key.rpartition(".")[2]
    value = LONG_PATH.sub(r"\1", DIGITS.sub(lambda match: f"{float(match[0]):.4g}", value))
    return f"{key.rpartition('.')[2]}{equals}{value}"


def _format_overrides(entry: Entry) -> Text:
    text = sanitize(" ".join([*entry.words, *map(shorten_override, entry.differs)]))
    if entry.name is not None:
        return Text.assemble((sanitize(entry.name), "bold"), f" {text}" if text else "")
    return Text(text) if text else Text("default", "dim")


def _format_objective(entry: Entry) -> Text | None:
    if entry.objective is None:
        return None
    return Text.assemble((f"{entry.metric} ", "dim"), format_number(entry.objective, entry.spread))


def format_age(milliseconds: int) -> str:
    """Format the age of a time in milliseconds since 1970; more than a week ago, its date."""
    seconds = max(0.0, time.time() - milliseconds / 1000)
    for limit, size, unit in ((90, 1, "s"), (5400, 60, "min"), (129_600, 3600, "h"), (604_800, 86_400, "d")):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit} ago"
    return format_minute(milliseconds)[:10]


def format_minute(milliseconds: int) -> str:
    """Format milliseconds since 1970 to the minute, in the local time zone."""
    return datetime.fromtimestamp(milliseconds / 1000).strftime("%Y-%m-%d %H:%M")


def _format_duration(entry: Entry) -> str | None:
    return None if entry.record.seconds is None else format_seconds(entry.record.seconds)


def _format_status(entry: Entry) -> Text:
    return Text(entry.status.lower(), STATUS_STYLES.get(entry.status, ""))


def _format_deployment(entry: Entry) -> Text | None:
    status = entry.deployed
    return None if status is None else Text(str(status), STATE_STYLES.get(status.state, "dim"))


def _format_trials(entry: Entry) -> str:
    return ", ".join(f"{count} {word}" for word, count in _sweep(entry).trials.items())


def _sweep(entry: Entry) -> SweepEntry:
    if not isinstance(entry, SweepEntry):
        raise TypeError(f"{entry.record.run_id} is not a sweep")
    return entry


COMMON = (
    EntryColumn("id", lambda entry: entry.id),
    EntryColumn("run_id", lambda entry: entry.record.run_id),
    EntryColumn("name", lambda entry: entry.name),
    EntryColumn("differs", lambda entry: " ".join(entry.differs), _format_overrides, wide=True),
    EntryColumn("metric", lambda entry: entry.metric),
    EntryColumn("objective", lambda entry: entry.objective, _format_objective),
    EntryColumn("spread", lambda entry: entry.spread, right=True),
    EntryColumn("test", lambda entry: entry.test, right=True),
    EntryColumn("took", lambda entry: entry.record.seconds, _format_duration, right=True),
    EntryColumn("status", lambda entry: entry.status, _format_status),
    EntryColumn("deployed", lambda entry: entry.deployed and str(entry.deployed), _format_deployment),
    EntryColumn("when", lambda entry: format_iso(entry.record.start), lambda entry: format_age(entry.record.start)),
    EntryColumn("end", lambda entry: entry.record.end and format_iso(entry.record.end)),
    EntryColumn("experiment", lambda entry: entry.record.experiment),
    EntryColumn("folder", lambda entry: entry.record.tags.get(FOLDER_TAG)),
    EntryColumn("sweep", lambda entry: entry.record.tags.get(SWEEP_TAG)),
)
RUN_COLUMNS = {
    column.name: column
    for column in (*COMMON, EntryColumn("trial", lambda entry: entry.record.tags.get(TRIAL_TAG), right=True))
}
SWEEP_COLUMNS = {
    column.name: column
    for column in (
        *COMMON,
        EntryColumn("kind", lambda entry: _sweep(entry).kind),
        EntryColumn("trials", _format_trials, wide=True),
        EntryColumn("winner", lambda entry: _sweep(entry).winner, lambda entry: (_sweep(entry).winner or "")[:8]),
    )
}
DEFAULT_RUN_COLUMNS = ("id", "differs", "objective", "test", "took", "status", "deployed", "when")
DEFAULT_SWEEP_COLUMNS = ("id", "differs", "kind", "trials", "objective", "winner", "test", "took", "status", "deployed")


def select_columns(names: str | None, sweeps: bool, exact: bool = False) -> list[EntryColumn]:
    """Find columns by name.

    Args:
        names: Comma-separated names; None for the default columns.
        sweeps: Whether the columns are for sweeps instead of runs.
        exact: Whether the default columns are for programs, with one value in each column.

    Raises:
        ConfigError: If there is no column of a name.
    """
    columns = SWEEP_COLUMNS if sweeps else RUN_COLUMNS
    defaults = list(DEFAULT_SWEEP_COLUMNS if sweeps else DEFAULT_RUN_COLUMNS)
    if exact:
        defaults[defaults.index("differs")] = "name,differs" if not sweeps else "differs"
        defaults[defaults.index("objective")] = "metric,objective"
    selected = [name.strip() for name in (",".join(defaults) if names is None else names).split(",") if name.strip()]
    if not selected:
        raise ConfigError(f"--columns is empty; possible are {', '.join(columns)}, and metrics.X, params.X and tags.X.")
    return [columns[name] if name in columns else _make_keyed_column(name, columns) for name in selected]


def _make_keyed_column(name: str, columns: dict[str, EntryColumn]) -> EntryColumn:
    match = KEYED.fullmatch(name)
    if match is None:
        raise ConfigError(
            f"'{name}' is not a column; possible are {', '.join(columns)}, and metrics.X, params.X and tags.X."
            f"{nearest(name, columns)}"
        )
    kind, key = match[1], match[2].strip('`"')
    return EntryColumn(name, lambda entry: getattr(entry.record, kind).get(key), right=kind == "metrics")

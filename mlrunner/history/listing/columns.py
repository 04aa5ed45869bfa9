"""The columns that a table may have: what each tells of an entry, exactly and for people."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.text import Text

from mlrunner.core.errors import ConfigError, nearest
from mlrunner.core.terminal import number
from mlrunner.history.listing.deployments import READY, SERVING
from mlrunner.history.listing.entries import Entry, iso
from mlrunner.history.listing.sweep import Sweep
from mlrunner.tracking.records import FOLDER, SWEEP, TRIAL

STATUS = {"FAILED": "red", "RUNNING": "yellow", "KILLED": "dim", "PRUNED": "dim", "FINISHED": "green"}
STATES = {SERVING: "bold green", READY: "green"}
KEYED = re.compile(r"(metrics|params|tags)\.(.+)")
LONG_PATH = re.compile(r"(?:[\w.+-]+:/)?/(?:[^/,\[\]()'\"]+/)+([^/,\[\]()'\"]+)")
DIGITS = re.compile(r"-?\d+\.\d{4,}(?:e-?\d+)?")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
RANGE = re.compile(r"\w\(")
NOTHING = "-"


@dataclass(frozen=True)
class Column:
    """One column.

    Args:
        name: As it is asked for.
        exact: What programs get; None for nothing.
        shown: What people read, of the same entry; the exact value where there is no such function.
        right: Numbers end at the same place.
        wide: It takes the lines that it needs; the others stay on one.
    """

    name: str
    exact: Callable[[Entry], Any]
    shown: Callable[[Entry], Any] | None = None
    right: bool = False
    wide: bool = False

    def text(self, entry: Entry) -> Text:
        """Write the cell for people; a dash for nothing."""
        told = self.exact(entry) if self.shown is None else self.shown(entry)
        if isinstance(told, Text):
            return told
        if isinstance(told, float):
            told = number(told)
        return Text(NOTHING, "dim") if told in (None, "", []) else Text(printable(str(told)))


def printable(text: str) -> str:
    """Leave out what would move the cursor or begin a line: whoever shares the store may have called a run so."""
    return CONTROL.sub(" ", text)


def short(override: str) -> str:
    """Write an override so that a person reads it fast: the last part of its key, few digits, no folders."""
    key, equals, value = override.partition("=")
    if RANGE.search(value) or override == "blueprint=true":  # of a search, or a word that tells all
        return key.rpartition(".")[2]
    value = LONG_PATH.sub(r"\1", DIGITS.sub(lambda found: f"{float(found[0]):.4g}", value))
    return f"{key.rpartition('.')[2]}{equals}{value}"


def _differs(entry: Entry) -> Text:
    told = printable(" ".join([*entry.words, *map(short, entry.differs)]))
    if entry.name is not None:
        return Text.assemble((printable(entry.name), "bold"), f" {told}" if told else "")
    return Text(told) if told else Text("default", "dim")


def _objective(entry: Entry) -> Text | None:
    if entry.objective is None:
        return None
    return Text.assemble((f"{entry.metric} ", "dim"), number(entry.objective, entry.spread))


def took(seconds: float | None) -> str | None:
    """Write a duration in its natural unit."""
    if seconds is None:
        return None
    if seconds < 99.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5940 else f"{seconds / 3600:.1f} h"


def ago(milliseconds: int) -> str:
    """Write how long ago something was; the day when that is more than a week."""
    seconds = max(0.0, time.time() - milliseconds / 1000)
    for limit, size, unit in ((90, 1, "s"), (5400, 60, "min"), (129_600, 3600, "h"), (604_800, 86_400, "d")):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit} ago"
    return moment(milliseconds)[:10]


def moment(milliseconds: int) -> str:
    """Write a time of this machine's zone to the minute."""
    return datetime.fromtimestamp(milliseconds / 1000).strftime("%Y-%m-%d %H:%M")


def _status(entry: Entry) -> Text:
    return Text(entry.status.lower(), STATUS.get(entry.status, ""))


def _deployed(entry: Entry) -> Text | None:
    told = entry.deployed
    return None if told is None else Text(str(told), STATES.get(told.state, "dim"))


def _trials(entry: Entry) -> str:
    return ", ".join(f"{count} {word}" for word, count in _sweep(entry).trials.items())


def _sweep(entry: Entry) -> Sweep:
    if not isinstance(entry, Sweep):
        raise TypeError(f"{entry.record.run_id} is no sweep")
    return entry


COMMON = (
    Column("id", lambda entry: entry.id),
    Column("run_id", lambda entry: entry.record.run_id),
    Column("name", lambda entry: entry.name),
    Column("differs", lambda entry: " ".join(entry.differs), _differs, wide=True),
    Column("metric", lambda entry: entry.metric),
    Column("objective", lambda entry: entry.objective, _objective),
    Column("spread", lambda entry: entry.spread, right=True),
    Column("test", lambda entry: entry.test, right=True),
    Column("took", lambda entry: entry.record.seconds, lambda entry: took(entry.record.seconds), right=True),
    Column("status", lambda entry: entry.status, _status),
    Column("deployed", lambda entry: entry.deployed and str(entry.deployed), _deployed),
    Column("when", lambda entry: iso(entry.record.start), lambda entry: ago(entry.record.start)),
    Column("end", lambda entry: entry.record.end and iso(entry.record.end)),
    Column("experiment", lambda entry: entry.record.experiment),
    Column("folder", lambda entry: entry.record.tags.get(FOLDER)),
    Column("sweep", lambda entry: entry.record.tags.get(SWEEP)),
)
RUNS = {one.name: one for one in (*COMMON, Column("trial", lambda entry: entry.record.tags.get(TRIAL), right=True))}
SWEEPS = {
    one.name: one
    for one in (
        *COMMON,
        Column("kind", lambda entry: _sweep(entry).kind),
        Column("trials", _trials, wide=True),
        Column("winner", lambda entry: _sweep(entry).winner, lambda entry: (_sweep(entry).winner or "")[:8]),
    )
}
USUAL = ("id", "differs", "objective", "test", "took", "status", "deployed", "when")
USUAL_SWEEPS = ("id", "differs", "kind", "trials", "objective", "winner", "test", "took", "status", "deployed")


def chosen(told: str | None, sweeps: bool, exact: bool = False) -> list[Column]:
    """Find the columns that are asked for, or the usual ones.

    Args:
        told: Names, by comma; None for the usual ones.
        sweeps: For sweeps, not for runs.
        exact: For programs, who want each number in a column of its own.

    Raises:
        ConfigError: When there is none of a name.
    """
    known = SWEEPS if sweeps else RUNS
    usual = list(USUAL_SWEEPS if sweeps else USUAL)
    if exact:
        usual[usual.index("differs")] = "name,differs" if not sweeps else "differs"
        usual[usual.index("objective")] = "metric,objective"
    names = [name.strip() for name in (",".join(usual) if told is None else told).split(",") if name.strip()]
    if not names:
        raise ConfigError(f"--columns is empty; there are {', '.join(known)}, and metrics.X, params.X and tags.X.")
    return [known[name] if name in known else _keyed(name, known) for name in names]


def _keyed(name: str, known: dict[str, Column]) -> Column:
    match = KEYED.fullmatch(name)
    if match is None:
        raise ConfigError(
            f"'{name}' is no column; there are {', '.join(known)}, and metrics.X, params.X and tags.X."
            f"{nearest(name, known)}"
        )
    kind, key = match[1], match[2].strip('`"')
    return Column(name, lambda entry: getattr(entry.record, kind).get(key), right=kind == "metrics")

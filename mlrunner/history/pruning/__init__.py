"""`mlrunner prune`: choose runs, protect what must stay, and remove the rest with all that belongs to it.

Choosing and measuring import neither MLflow nor ZenML; only `removing`, `tracked` and `pipelines` do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlrunner.core.errors import ConfigError, nearest
from mlrunner.tracking.records import STATUSES, Record

MARK = "mlrunner.pruning"  # tags a run whose removal has begun: it goes with the next one, whatever that asks for
UNITS = {"h": 3600, "d": 86_400, "w": 604_800}
DAY = 86_400.0


@dataclass(frozen=True)
class Criteria:
    """Conditions that a run must meet to go, all of those that are given.

    Args:
        older: Seconds since its end, or since its start where it did not end.
        status: MLflow's statuses.
        worse_than: Number of best runs to keep of each data set and metric.
        keep: Number of newest runs to keep.
        matching: Ids that a filter matched.
        named: Ids of the runs that were named, and of the runs of sweeps that were.
    """

    older: float | None = None
    status: tuple[str, ...] = ()
    worse_than: int | None = None
    keep: int | None = None
    matching: frozenset[str] | None = None
    named: frozenset[str] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no condition is given, which chooses nothing and not everything."""
        return self == Criteria()


@dataclass(frozen=True)
class Stay:
    """A run that was chosen and must stay; the reason ends a sentence that begins with the run."""

    record: Record
    reason: str


@dataclass(frozen=True)
class Selection:
    """The runs that go, those of a sweep before their parent, and those that were chosen and must stay."""

    going: list[Record]
    staying: list[Stay]


def seconds(text: str) -> float:
    """Read an age like 12h, 30d or 4w.

    Raises:
        ConfigError: When the text is no age.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([hdw])", text.strip().lower())
    if match is None:
        raise ConfigError(f"--older={text} is no age; write hours, days or weeks, like 12h, 30d or 4w.")
    return float(match[1]) * UNITS[match[2]]


def statuses(text: str) -> tuple[str, ...]:
    """Read a list of MLflow's statuses.

    Raises:
        ConfigError: When one of them is unknown, or the list is empty.
    """
    words = tuple(word.strip().upper() for word in text.split(",") if word.strip())
    known = ", ".join(STATUSES).lower()
    for word in words:
        if word not in STATUSES:
            near = nearest(word, STATUSES).lower().replace("did", "Did")
            raise ConfigError(f"--status={text}: '{word.lower()}' is no status of MLflow's; there are {known}.{near}")
    if not words:
        raise ConfigError(f"--status is empty; name some of {known}.")
    return words

"""`mlrunner prune`: which runs may go, what goes with them, and how they are removed for good.

Choosing and measuring import neither MLflow nor ZenML; only `removing` and `pipelines` do.
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
    """What a run must be to go: all that is given.

    Args:
        older: Seconds since it ended, or since it began where it did not end.
        status: MLflow's words.
        worse_than: It is not among so many best on its data and metric.
        keep: It is not among so many newest.
        matching: It is one of these, which a filter found.
        named: It is one of these, which were named, or a run of a sweep that was.
    """

    older: float | None = None
    status: tuple[str, ...] = ()
    worse_than: int | None = None
    keep: int | None = None
    matching: frozenset[str] | None = None
    named: frozenset[str] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for, which chooses nothing and not everything."""
        return self == Criteria()


@dataclass(frozen=True)
class Stay:
    """A run that was chosen and is not removed.

    Args:
        record: The run.
        reason: Why, as the end of a sentence that begins with the run.
    """

    record: Record
    reason: str


@dataclass(frozen=True)
class Selection:
    """What a prune would do.

    Args:
        going: The runs of a sweep before their parent.
        staying: What was chosen too, but must not go.
    """

    going: list[Record]
    staying: list[Stay]


def seconds(text: str) -> float:
    """Read an age.

    Raises:
        ConfigError: When it is none.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([hdw])", text.strip().lower())
    if match is None:
        raise ConfigError(f"--older={text} is no age; write hours, days or weeks, like 12h, 30d or 4w.")
    return float(match[1]) * UNITS[match[2]]


def statuses(text: str) -> tuple[str, ...]:
    """Read MLflow's words for what became of a run.

    Raises:
        ConfigError: When there is none like it.
    """
    found = tuple(word.strip().upper() for word in text.split(",") if word.strip())
    for word in found:
        if word not in STATUSES:
            known = ", ".join(STATUSES).lower()
            told = nearest(word, STATUSES).lower().replace("did", "Did")
            raise ConfigError(f"--status={text}: '{word.lower()}' is no status of MLflow's; there are {known}.{told}")
    if not found:
        raise ConfigError(f"--status is empty; name some of {', '.join(STATUSES).lower()}.")
    return found

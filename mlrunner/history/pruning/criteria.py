"""The conditions that a run must meet to be removed, read from the command line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlrunner.core.errors import ConfigError, nearest
from mlrunner.tracking.records import STATUSES

DAY = 86_400.0  # seconds
UNITS = {"h": DAY / 24, "d": DAY, "w": 7 * DAY}


@dataclass(frozen=True)
class Criteria:
    """Conditions that a run must meet to be removed; it must meet all that are given.

    Args:
        older: Seconds since its end, or since its start if it has not ended.
        status: MLflow statuses.
        worse_than: Number of best runs to keep of each metric, target and set of judged rows.
        keep: Number of newest runs to keep.
        matching: Ids of the runs that match a filter.
        named: Ids of the named runs, and of the runs of named sweeps.
    """

    older: float | None = None
    status: tuple[str, ...] = ()
    worse_than: int | None = None
    keep: int | None = None
    matching: frozenset[str] | None = None
    named: frozenset[str] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no condition is given, which selects no run."""
        return self == Criteria()


def parse_age(text: str) -> float:
    """Parse an age like 12h, 30d or 4w into seconds.

    Raises:
        ConfigError: If the text is not an age.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([hdw])", text.strip().lower())
    if match is None:
        raise ConfigError(f"--older={text} is not an age; give hours, days or weeks, like 12h, 30d or 4w.")
    return float(match[1]) * UNITS[match[2]]


def parse_statuses(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list of MLflow statuses.

    Raises:
        ConfigError: If a status is unknown, or the list is empty.
    """
    words = tuple(word.strip().upper() for word in text.split(",") if word.strip())
    possible = ", ".join(STATUSES).lower()
    for word in words:
        if word not in STATUSES:
            hint = nearest(word.lower(), map(str.lower, STATUSES))
            raise ConfigError(
                f"--status={text}: '{word.lower()}' is not an MLflow status; possible are {possible}.{hint}"
            )
    if not words:
        raise ConfigError(f"--status is empty; possible are {possible}.")
    return words

"""Find the date format of a column from its values.

The whole column decides, or evenly spaced values of a large one; a value that fits several formats decides nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from mlrunner.core.date_parsing import ISO

SAMPLE_SIZE = 2000  # values that are looked at first
FIRST_LOOK = 20  # values after which a column without any date is left alone
NEARLY_ALL = 0.99  # share of dates that makes a column one of dates; the rest is counted and shown

DATE = r"(?:1[5-9]|2[0-4])\d\d-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01])"
ISO_PATTERN = re.compile(DATE + r"(?:[T ]\d\d(?::?\d\d(?::?\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?)?")
TIME = r"(?P<time>[ T]\d{1,2}:\d\d(?P<seconds>:\d\d)?(?P<fraction>\.\d+)?(?P<half> ?[AaPp][Mm])?)?"
NUMERIC_PATTERN = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{4}|\d{1,2})" + TIME)
WORD_PATTERN = re.compile(r"(\d{1,2})([ -])([A-Za-z]{3,9})\2(\d{4})" + TIME)
WORD_FIRST_PATTERN = re.compile(r"([A-Za-z]{3,9}) (\d{1,2}), (\d{4})" + TIME)
DIGITS_PATTERN = re.compile(r"(?:1[5-9]|2[0-4])\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
SWAP = re.compile("%d|%m")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True)
class FormatCounts:
    """How many values of a column fit each format.

    Args:
        values: Number of values.
        dates: Number of values that fit any format.
        fits: Number of values by format.
    """

    values: int
    dates: int
    fits: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        """Share of the values that fit any format."""
        return self.dates / self.values if self.values else 0.0

    @property
    def best(self) -> str | None:
        """The format that most values fit; None without any date."""
        return max(self.fits, key=lambda name: self.fits[name], default=None)

    @property
    def other_reading(self) -> str | None:
        """A format that reads the same values as other days; None when there is only one reading."""
        if self.best is None or self.fits[self.best] == 0:
            return None
        swapped = SWAP.sub(lambda match: "%m" if match[0] == "%d" else "%d", self.best)
        return swapped if swapped != self.best and self.fits[swapped] == self.fits[self.best] else None


def count_formats(column: pd.Series[Any], loose: bool = False) -> FormatCounts:
    """Count how many values fit each format.

    Args:
        column: Text column.
        loose: Whether to read two-digit years and bare digits as well, since the name says that these are dates.

    Returns:
        Counts over a sample; over every value when the sample leaves two readings.
    """
    values = column.iloc[:: max(1, len(column) // FIRST_LOOK)].tolist()
    few = [value for value in values if isinstance(value, str)]
    if few and not any(any(_formats_of(value, loose)) for value in few):
        return FormatCounts(len(few), 0)
    known = column.dropna()
    step = max(1, len(known) // SAMPLE_SIZE)
    sample = known.iloc[::step]
    counts = _count(sample, loose)
    return counts if step == 1 or counts.other_reading is None else _count(known, loose)


def _count(values: pd.Series[Any], loose: bool) -> FormatCounts:
    repeats = values.value_counts()
    fits: Counter[str] = Counter()
    dates = 0
    for value, count in repeats.items():
        formats = list(_formats_of(str(value), loose))
        dates += int(count) if formats else 0
        fits.update(dict.fromkeys(formats, int(count)))
    return FormatCounts(len(values), dates, fits)


def _formats_of(value: str, loose: bool) -> Iterator[str]:
    if ISO_PATTERN.fullmatch(value):
        yield ISO
    elif match := NUMERIC_PATTERN.fullmatch(value):
        yield from (date + _time_format(match) for date in _numeric_formats(match, loose))
    elif match := WORD_PATTERN.fullmatch(value):
        yield from (f"%d{match[2]}{month}{match[2]}%Y{_time_format(match)}" for month in _month_formats(match[3]))
    elif match := WORD_FIRST_PATTERN.fullmatch(value):
        yield from (f"{month} %d, %Y{_time_format(match)}" for month in _month_formats(match[1]))
    elif loose and DIGITS_PATTERN.fullmatch(value):
        yield "%Y%m%d"


def _numeric_formats(match: re.Match[str], loose: bool) -> Iterable[str]:
    first, separator, second, last = match[1], match[2], match[3], match[4]
    if len(first) == 4:
        return [separator.join(("%Y", "%m", "%d"))] if _fits(second, last) else []
    if len(first) == 3 or len(last) not in ((4, 2) if loose else (4,)):
        return []
    year = "%Y" if len(last) == 4 else "%y"
    day_first = [separator.join(("%d", "%m", year))] if _fits(second, first) else []
    return day_first + ([separator.join(("%m", "%d", year))] if _fits(first, second) else [])


def _fits(month: str, day: str) -> bool:
    return 1 <= int(month) <= 12 and 1 <= int(day) <= 31


def _month_formats(word: str) -> Iterable[str]:
    if word[:3].lower() not in MONTHS:
        return []
    return ["%b", "%B"] if word.lower() == "may" else ["%b"] if len(word) == 3 else ["%B"]


def _time_format(match: re.Match[str]) -> str:
    if match["time"] is None:
        return ""
    hour = "%I" if match["half"] else "%H"
    half = match["half"] or ""
    seconds = ":%S" if match["seconds"] else ""
    fraction = ".%f" if match["fraction"] else ""
    return f"{match['time'][0]}{hour}:%M{seconds}{fraction}{half[:-2]}{'%p' if half else ''}"

"""Decide which columns hold dates, and in which format; refuse what cannot be decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from mlrunner.core.column_kinds import TOLERATED, Kind, infer_kind
from mlrunner.core.date_parsing import ISO, describe_format, find_unreadable, parse_dates
from mlrunner.core.errors import DataError
from mlrunner.groups.cleaning.date_formats import NEARLY_ALL, SAMPLE_SIZE, FormatCounts, count_formats

MOST = 0.5  # share of dates in a column whose name says that it holds dates
LOWEST_DIGITS = 100_000  # whole numbers below have too few digits for a date


@dataclass(frozen=True)
class Expectation:
    """What the settings and the name of a column say about it.

    Args:
        date_format: Format that the settings give; None: found from the values.
        is_listed: Whether the settings say that it holds dates.
        is_named: Whether its name says so.
    """

    date_format: str | None = None
    is_listed: bool = False
    is_named: bool = False

    @property
    def least_share(self) -> float:
        """Smallest share of dates that makes a column one of dates."""
        return 0.0 if self.is_listed else MOST if self.is_named else NEARLY_ALL


class Readings(NamedTuple):
    """The two ways to read the dates of a column.

    Args:
        clause: Clause with both readings of a value.
        day_first: Format with the day before the month.
        month_first: Format with the month before the day.
    """

    clause: str
    day_first: str
    month_first: str


class AmbiguousDates(DataError):
    """Columns of dates with two readings.

    Args:
        readings: The two readings of each column.
        dates: Formats of other columns that `cleaning.dates` has to keep; None is no date.
    """

    def __init__(self, readings: dict[str, Readings], dates: Mapping[str, str | None]) -> None:
        self.readings, self.dates = readings, dates
        super().__init__(*self.describe())

    def describe(self, without: str | None = None) -> Iterator[str]:
        """Yield a sentence with one setting for all columns, but that whose format is set elsewhere."""
        readings = {name: each for name, each in self.readings.items() if name != without}
        if not readings:
            return
        day_first = self._write({name: each.day_first for name, each in readings.items()})
        month_first = self._write({name: each.month_first for name, each in readings.items()})
        clause = next(iter(readings.values())).clause
        names = ", ".join(f"'{name}'" for name in readings)
        yield f"cleaning: the dates of {names} have two readings, {clause}; set {day_first} or {month_first}."

    def _write(self, formats: dict[str, str]) -> str:
        every = {**self.dates, **formats}
        items = [f"{name}: " + ("null" if each is None else f"'{each}'") for name, each in every.items()]
        return f'"cleaning.dates={{{", ".join(items)}}}"'


def choose_format(column: pd.Series[Any], expected: Expectation) -> str | None:
    """Choose the date format of a column.

    Args:
        column: Raw column, wholly.
        expected: What is known beside its values.

    Returns:
        A `strptime` format or "iso"; None when the column holds no dates.

    Raises:
        DataError: When the values have two readings, or a listed column holds numbers and no format is given.
    """
    kind = infer_kind(column)
    if kind is Kind.MOMENT:
        return ISO
    if kind.is_numeric:
        return _choose_for_numbers(column, expected)
    if kind not in (Kind.TEXT, Kind.CATEGORY):
        return None
    counts = count_formats(column, loose=expected.is_listed or expected.is_named)
    looks_like_dates = counts.dates > 0 and counts.share >= expected.least_share
    if expected.date_format is not None:
        fits = looks_like_dates or expected.is_listed or _share_of(column, expected.date_format) >= expected.least_share
        return expected.date_format if fits else None
    if not looks_like_dates:
        return ISO if expected.is_listed else None
    return _choose_reading(column, counts)


def _choose_for_numbers(column: pd.Series[Any], expected: Expectation) -> str | None:
    date_format = expected.date_format
    if not column.notna().any():
        return date_format or ISO if expected.is_listed else None
    if date_format is None or date_format == ISO:
        if expected.is_listed:
            raise DataError(
                f"cleaning reads '{column.name}' as dates, but it holds numbers, first {_first(column)}; give their "
                f"""format, like "cleaning.dates={{{column.name}: '%Y%m%d'}}", or leave it out of the dates."""
            )
        return None
    if expected.is_listed:
        return date_format
    has_digits = bool((column.dropna() >= LOWEST_DIGITS).mean() >= expected.least_share)
    return date_format if has_digits and _share_of(column, date_format) >= expected.least_share else None


def _choose_reading(column: pd.Series[Any], counts: FormatCounts) -> str:
    if counts.other_reading is not None:
        day_first, month_first = sorted((str(counts.best), counts.other_reading))
        raise AmbiguousDates(
            {str(column.name): Readings(describe_readings(column, counts), day_first, month_first)}, {}
        )
    return str(counts.best)


def describe_readings(column: pd.Series[Any], counts: FormatCounts) -> str:
    """Return a clause with the two readings of a value: "'03/04/2020' is 3 April 2020 or 4 March 2020"."""
    formats = [str(counts.best), str(counts.other_reading)]
    known = column.dropna().astype(str)
    first, second = (parse_dates(known, each) for each in formats)
    both = first.notna() & second.notna()
    differing = both & (first != second)  # 01/01/2020 is the same day in both
    place = int((differing if differing.any() else both).to_numpy().argmax())
    days: list[Any] = [first.iloc[place], second.iloc[place]]
    return f"{known.iloc[place]!r} is {' or '.join(f'{day.day} {day:%B %Y}' for day in days)}"


def _share_of(column: pd.Series[Any], date_format: str) -> float:
    known = column.dropna()
    sample = known.iloc[:: max(1, len(known) // SAMPLE_SIZE)]
    return 1 - len(find_unreadable(sample, date_format)) / len(sample) if len(sample) else 0.0


def _first(column: pd.Series[Any]) -> str:
    return repr(column.dropna().iloc[:1].tolist()[0])


def describe_unreadable(column: pd.Series[Any], date_format: str) -> str | None:
    """Count the values of a date column that do not fit its format.

    Returns:
        A clause such as "2 of 240 values (0.83 %) are no dates in %d.%m.%Y, first 'soon'"; None when all fit.

    Raises:
        DataError: When more than `TOLERATED` of the values do not fit.
    """
    unreadable = find_unreadable(column, date_format)
    if unreadable.empty:
        return None
    known = int(column.notna().sum())
    share = len(unreadable) / known
    clause = (
        f"{len(unreadable):,} of {known:,} values ({100 * share:.3g} %) are no dates in "
        f"{describe_format(date_format)}, first {_first(unreadable)}"
    )
    if share > TOLERATED:
        raise DataError(f"cleaning reads '{column.name}' as dates, but {clause}; {_advise(column, date_format)}.")
    return clause


def _advise(column: pd.Series[Any], date_format: str) -> str:
    """Return what to type: the format that all values fit, or that the column holds no dates."""
    counts = count_formats(column, loose=True) if infer_kind(column) in (Kind.TEXT, Kind.CATEGORY) else None
    fitting = () if counts is None else (counts.best, counts.other_reading)
    least = 0 if counts is None else NEARLY_ALL * counts.values
    better = [name for name in fitting if counts and name and name != date_format and counts.fits[name] >= least]
    settings = [f""""cleaning.dates={{{column.name}: '{name}'}}\"""" for name in better]
    choices = [f"set {' or '.join(settings)}"] if settings else ["correct those values"]
    return " or ".join([*choices, f'treat it as no date with "cleaning.dates={{{column.name}: null}}"'])

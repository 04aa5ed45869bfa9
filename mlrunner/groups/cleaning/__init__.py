"""Config group `cleaning`: turn raw rows into feature columns, without learning from them.

A strategy handles each row by itself, so that the served model can start with it.
"""

from __future__ import annotations

from typing import Annotated

import pandas as pd
from pydantic import Field

from mlrunner.core.build import NamedValues, dataclass
from mlrunner.groups.cleaning.columns import (
    Constant,
    append_columns,
    clip_values,
    drop_columns,
    fill_missing,
    hashable,
    select_numeric,
)
from mlrunner.groups.cleaning.dates import (
    Durations,
    Part,
    compute_durations,
    count_days,
    extract_parts,
    is_date,
    parse_dates,
    require_dates,
)
from mlrunner.groups.strategy import CleaningStrategy


@dataclass
class KeepAll(CleaningStrategy):
    """Keep the columns as they are, text included.

    Args:
        drop: Columns to leave out.
    """

    drop: list[str] = Field(default_factory=list)

    @property
    def named_columns(self) -> dict[str, list[str]]:
        """See `CleaningStrategy.named_columns`."""
        return {"cleaning.drop": self.drop}

    def transform_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Drop the listed columns; see `CleaningStrategy.transform_rows`."""
        return drop_columns(table, self.drop)


@dataclass
class DataPreprocess(CleaningStrategy):
    """Drop columns, fill constants, turn listed dates into numbers and keep numeric columns.

    Args:
        drop: Columns to leave out.
        fill: Constant for the missing values of a column, by column name.
        dates: Columns to read as dates; None: none here, detected by `DateFeatures`.
        date_format: `strptime` format of the dates; None reads ISO 8601.
        keep_numeric: Whether to leave out columns without numbers.
    """

    drop: list[str] = Field(default_factory=list)
    fill: Annotated[dict[str, Constant], NamedValues] = Field(default_factory=dict)
    dates: list[str] | None = None
    date_format: str | None = None
    keep_numeric: bool = True

    @property
    def named_columns(self) -> dict[str, list[str]]:
        """See `CleaningStrategy.named_columns`."""
        dates = self.dates or []
        return {"cleaning.drop": self.drop, "cleaning.fill": list(self.fill), "cleaning.dates": dates}

    def handle_data(self, table: pd.DataFrame) -> pd.DataFrame:
        """See `CleaningStrategy.handle_data`; refuse unreadable dates, which serving treats as missing."""
        kept = drop_columns(table, self.drop)
        require_dates(kept[self.date_columns(kept)], self.date_format)
        return super().handle_data(table)

    def transform_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Drop, fill, turn dates into numbers and keep numeric columns, in this order."""
        table = drop_columns(table, self.drop)
        fill = {name: fill_missing(table[name], constant) for name, constant in self.fill.items() if name in table}
        table = table.assign(**fill) if fill else table
        dates = {name: parse_dates(table[name], self.date_format) for name in self.date_columns(table)}
        table = append_columns(drop_columns(table, list(dates)), self.date_features(dates)) if dates else table
        return select_numeric(table) if self.keep_numeric else table

    def date_columns(self, table: pd.DataFrame) -> list[str]:
        """Return the names of the columns to read as dates."""
        return [name for name in self.dates or [] if name in table]

    def date_features(self, dates: dict[str, pd.Series]) -> dict[str, pd.Series]:
        """Return the days since 1970-01-01 of each date column, as `NAME_days`."""
        return {f"{name}_days": count_days(date) for name, date in dates.items()}


@dataclass
class DateFeatures(DataPreprocess):
    """Turn each date column into calendar parts, and pairs of date columns into durations in days.

    Args:
        parts: Calendar parts to take of each date.
        durations: Pairs to subtract: "all", None, or new name to (end, start).
        date_endings: Last words of the names of date columns, in lower case, used when `dates` is None.
        time: Column that holds dates whatever its name, unless it is numeric.
    """

    parts: list[Part] = Field(default_factory=list)
    durations: Durations = "all"
    date_endings: list[str] = Field(default_factory=list)
    time: str | None = None

    @property
    def named_columns(self) -> dict[str, list[str]]:
        """See `CleaningStrategy.named_columns`."""
        pairs = self.durations if isinstance(self.durations, dict) else {}
        between = dict.fromkeys(name for pair in pairs.values() for name in pair)
        return {**super().named_columns, "cleaning.durations": list(between)}

    def date_columns(self, table: pd.DataFrame) -> list[str]:
        """Return the listed date columns or, without a list, those whose dtype or name marks them as dates."""
        named = {*(self.dates or ()), *self.named_columns["cleaning.durations"]}
        if self.dates is not None:
            return [name for name in table.columns if name in named]
        marks = (self.date_endings, self.time)
        return [name for name in table.columns if name in named or is_date(table[name], *marks)]

    def date_features(self, dates: dict[str, pd.Series]) -> dict[str, pd.Series]:
        """Return the calendar parts and the durations as float64, with NaN for a missing date."""
        return extract_parts(dates, self.parts) | compute_durations(dates, self.durations)


@dataclass
class RobustPreprocess(DataPreprocess):
    """Clip numbers at configured bounds, leave out repeated rows and keep numeric columns.

    Args:
        clip: Lower and upper bound of a column, by column name; None leaves a side open.
        deduplicate: Whether to train on one of the rows that are equal in every raw column.
    """

    clip: Annotated[dict[str, tuple[float | None, float | None]], NamedValues] = Field(default_factory=dict)
    deduplicate: bool = True

    @property
    def keeps_rows(self) -> bool:
        """See `CleaningStrategy.keeps_rows`; False when repeated rows are left out."""
        return not self.deduplicate

    @property
    def named_columns(self) -> dict[str, list[str]]:
        """See `CleaningStrategy.named_columns`."""
        return {**super().named_columns, "cleaning.clip": list(self.clip)}

    def problems(self) -> list[str]:
        """Return one sentence for each lower bound that is above its upper bound."""
        return [
            f"cleaning.clip.{name} is [{low:g}, {high:g}], but the lower bound comes first; swap them."
            for name, (low, high) in self.clip.items()
            if low is not None and high is not None and low > high
        ]

    def select_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Select the first of the rows that are equal in every raw column, including target and ids."""
        if not self.deduplicate:
            return table
        repeated = hashable(table).duplicated()
        return table[~repeated] if repeated.any() else table

    def transform_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Clip the raw numbers, then clean the rows like `DataPreprocess`."""
        clip = {name: clip_values(table[name], *bounds) for name, bounds in self.clip.items() if name in table}
        return super().transform_rows(table.assign(**clip) if clip else table)

"""Config group `cleaning`: turn raw rows into feature columns, without learning from them.

A strategy handles each row by itself, so that the served model can start with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import pandas as pd
from numpy.typing import ArrayLike
from pydantic import Field

from mlrunner.core.build import NamedValues, dataclass
from mlrunner.groups.cleaning.columns import clip_values, drop_columns, hashable
from mlrunner.groups.cleaning.date_columns import Expectation
from mlrunner.groups.cleaning.dates import Durations, Part, compute_durations, extract_parts, is_named_as_date
from mlrunner.groups.cleaning.preprocess import DataPreprocess
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

    def left_out(self, table: pd.DataFrame) -> dict[str, str]:
        """See `CleaningStrategy.left_out`."""
        return {name: "dropped" for name in self.drop if name in table}

    def transform_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Drop the listed columns; see `CleaningStrategy.transform_rows`."""
        return drop_columns(table, self.drop)


@dataclass
class DateFeatures(DataPreprocess):
    """Turn each date column into calendar parts, and pairs of date columns into durations in days.

    Args:
        parts: Calendar parts to take of each date.
        durations: Pairs to subtract: "all", None, or new name to (end, start).
        date_endings: Last words of the names of date columns, in lower case; half of their values must be dates.
        time: Column that is treated as one with such a name.
        time_format: Format of that column, if it has none of its own in `dates`.
    """

    parts: list[Part] = Field(default_factory=list)
    durations: Durations = "all"
    date_endings: list[str] = Field(default_factory=list)
    time: str | None = None
    time_format: str | None = None

    @property
    def named_columns(self) -> dict[str, list[str]]:
        """See `CleaningStrategy.named_columns`."""
        return {**super().named_columns, "cleaning.durations": self._paired}

    @property
    def _paired(self) -> list[str]:
        """Columns that `durations` names."""
        pairs = self.durations if isinstance(self.durations, dict) else {}
        return list(dict.fromkeys(name for pair in pairs.values() for name in pair))

    def _expect(self, column: pd.Series) -> Expectation | None:
        listed = super()._expect(column)
        if listed is not None:
            return listed
        date_format = (self.time_format if column.name == self.time else None) or self.date_format
        if column.name in self._paired:
            return Expectation(date_format, is_listed=True)
        if isinstance(self.dates, list) or column.name in (self.dates or {}):
            return None
        return Expectation(date_format, is_named=is_named_as_date(column, self.date_endings, self.time))

    def date_features(self, dates: dict[str, pd.Series]) -> Mapping[str, ArrayLike]:
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

"""Config group `cleaning`: how raw rows become a table of features, learning nothing from them.

A strategy handles each row by itself, so the served model can begin with it.
"""

from __future__ import annotations

import dataclasses

import pandas as pd
from pydantic import Field

from mlrunner.core.build import dataclass
from mlrunner.core.column_roles import Roles
from mlrunner.core.errors import DataError
from mlrunner.groups.cleaning import dates as dating
from mlrunner.groups.cleaning.columns import Constant, clipped, filled, joined, numbers, without
from mlrunner.groups.strategy import CleaningStrategy as CleaningStrategy
from mlrunner.groups.strategy import DataStrategy as DataStrategy


@dataclasses.dataclass(frozen=True)
class DataCleaning:
    """The controller: takes a table and a strategy, and delegates the feature columns to it.

    Args:
        table: The raw table.
        strategy: How to clean it.
        roles: Which column plays which part.
    """

    table: pd.DataFrame
    strategy: DataStrategy
    roles: Roles

    def handle_data(self) -> pd.DataFrame:
        """Clean the table.

        Returns:
            The cleaned features, then the target, group and time columns that the table has, as they were.
            The index tells which raw row a row was; those without a target are gone.

        Raises:
            DataError: When no row or no feature column is left.
        """
        table = self._rows()
        cleaned: pd.DataFrame = self.strategy.handle_data(feature_columns(table, self.roles))
        parts = dict.fromkeys([self.roles.target, self.roles.group, self.roles.time])
        back = [name for name in parts if name is not None and name in table]
        features = without(cleaned, back)
        if features.shape[1] == 0:
            raise DataError(
                f"cleaning: none of the {table.shape[1]} columns is left as a feature "
                f"({', '.join(map(str, table.columns[:8]))}); cleaning=full keeps text too."
            )
        played = table[back] if features.index.equals(table.index) else table.loc[features.index, back]
        return pd.concat([features, played], axis=1)

    def _rows(self) -> pd.DataFrame:
        """Leave out the rows that nothing can be learned from."""
        strategy, table, target = self.strategy, self.table, self.roles.target
        if target in table:
            known = table[target].notna()
            if len(table) and not known.any():
                told = f"dataset.target '{target}' is missing in each of the {len(table)} rows"
                raise DataError(f"{told}; name another column.")
            table = table if known.all() else table[known]
        return strategy.select_rows(table) if isinstance(strategy, CleaningStrategy) else table


def feature_columns(table: pd.DataFrame, roles: Roles) -> pd.DataFrame:
    """Take the columns that a strategy may see: all but the ignored, the target and the group.

    The time column stays, unless it is ignored, for what its date tells; under its own name it is no feature.
    """
    away = [name for name in (roles.target, roles.group) if name is not None and name != roles.time]
    return without(table, [*roles.ignore, *away])


@dataclass
class KeepAll(CleaningStrategy):
    """Hand the columns through unchanged, text included; only `drop` takes some away."""

    drop: list[str] = Field(default_factory=list)

    @property
    def named_columns(self) -> dict[str, list[str]]:
        """The columns to drop."""
        return {"cleaning.drop": self.drop}

    def transform_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Drop the listed columns."""
        return without(table, self.drop)


@dataclass
class DataPreprocess(CleaningStrategy):
    """Drop columns, fill constants, turn listed dates into numbers and keep numeric columns."""

    drop: list[str] = Field(default_factory=list)
    fill: dict[str, Constant] = Field(default_factory=dict)
    dates: list[str] | None = None
    date_format: str | None = None
    keep_numeric: bool = True

    @property
    def named_columns(self) -> dict[str, list[str]]:
        """The columns to drop, to fill and to read as dates."""
        dates = self.dates or []
        return {"cleaning.drop": self.drop, "cleaning.fill": list(self.fill), "cleaning.dates": dates}

    def handle_data(self, table: pd.DataFrame) -> pd.DataFrame:
        """Clean a table to train on; refuse dates that cannot be read, where serving makes them missing."""
        left = without(table, self.drop)
        dating.refuse_unreadable(left[self.date_columns(left)], self.date_format)
        return super().handle_data(table)

    def transform_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Drop, fill, turn dates into numbers and keep numeric columns, in this order."""
        table = without(table, self.drop)
        fill = {name: filled(table[name], constant) for name, constant in self.fill.items() if name in table}
        table = table.assign(**fill) if fill else table
        dates = {name: dating.as_dates(table[name], self.date_format) for name in self.date_columns(table)}
        table = joined(without(table, list(dates)), self.date_features(dates)) if dates else table
        return numbers(table) if self.keep_numeric else table

    def date_columns(self, table: pd.DataFrame) -> list[str]:
        """Name the columns to read as dates."""
        return [name for name in self.dates or [] if name in table]

    def date_features(self, dates: dict[str, pd.Series]) -> dict[str, pd.Series]:
        """Count the days since 1970-01-01, so that a date that is kept is a number."""
        return {f"{name}_days": dating.days_between(date) for name, date in dates.items()}


@dataclass
class DateFeatures(DataPreprocess):
    """Turn each date column into calendar parts, and each pair of them into a duration in days."""

    parts: list[dating.Part] = Field(default_factory=list)
    durations: dating.Durations = "all"
    date_endings: list[str] = Field(default_factory=list)
    time: str | None = None

    @property
    def named_columns(self) -> dict[str, list[str]]:
        """The columns of the base, and those between which durations are taken."""
        pairs = self.durations if isinstance(self.durations, dict) else {}
        between = dict.fromkeys(name for pair in pairs.values() for name in pair)
        return {**super().named_columns, "cleaning.durations": list(between)}

    def date_columns(self, table: pd.DataFrame) -> list[str]:
        """Name the listed date columns or, with no list, those whose dtype or name says so."""
        named = {*(self.dates or ()), *self.named_columns["cleaning.durations"]}
        if self.dates is not None:
            return [name for name in table.columns if name in named]
        telling = (self.date_endings, self.time)
        return [name for name in table.columns if name in named or dating.is_date(table[name], *telling)]

    def date_features(self, dates: dict[str, pd.Series]) -> dict[str, pd.Series]:
        """Take the calendar parts and the durations of parsed dates; all float64, missing is NaN."""
        return dating.calendar(dates, self.parts) | dating.durations(dates, self.durations)


@dataclass
class RobustPreprocess(DataPreprocess):
    """Clip numbers at configured bounds, leave out repeated rows and keep numeric columns."""

    clip: dict[str, tuple[float | None, float | None]] = Field(default_factory=dict)
    deduplicate: bool = True

    @property
    def keeps_rows(self) -> bool:
        """False when repeated rows are left out."""
        return not self.deduplicate

    @property
    def named_columns(self) -> dict[str, list[str]]:
        """The columns of the base, and those to clip."""
        return {**super().named_columns, "cleaning.clip": list(self.clip)}

    def problems(self) -> list[str]:
        """Refuse a lower bound above its upper bound."""
        return [
            f"cleaning.clip.{name} is [{low:g}, {high:g}], but the lower bound stands first; swap them."
            for name, (low, high) in self.clip.items()
            if low is not None and high is not None and low > high
        ]

    def select_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Keep the first of the rows that are equal in every raw column, target and ids included."""
        repeated = table.duplicated() if self.deduplicate else None
        return table if repeated is None or not repeated.any() else table[~repeated]

    def transform_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Clip the raw numbers, then handle the rows as `DataPreprocess` does."""
        clip = {name: clipped(table[name], *bounds) for name, bounds in self.clip.items() if name in table}
        return super().transform_rows(table.assign(**clip) if clip else table)

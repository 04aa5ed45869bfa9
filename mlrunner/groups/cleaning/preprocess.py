"""Strategy of `cleaning=preprocess`, and the base of those that read dates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Self

import pandas as pd
from numpy.typing import ArrayLike
from pydantic import Field

from mlrunner.core.build import NamedValues, dataclass
from mlrunner.core.column_kinds import infer_kinds
from mlrunner.core.date_parsing import find_unreadable, parse_dates
from mlrunner.core.errors import ConfigError, DataError
from mlrunner.groups.cleaning.columns import Constant, append_columns, drop_columns, fill_missing, select_numeric
from mlrunner.groups.cleaning.date_columns import (
    AmbiguousDates,
    Expectation,
    Readings,
    choose_format,
    describe_unreadable,
)
from mlrunner.groups.cleaning.dates import count_days
from mlrunner.groups.strategy import CleaningStrategy


@dataclass
class DataPreprocess(CleaningStrategy):
    """Drop columns, fill constants, turn listed dates into numbers and keep numeric columns.

    Args:
        drop: Columns to leave out.
        fill: Constant for the missing values of a column, by column name.
        dates: Columns to read as dates, or the format of each by name ("iso", a `strptime` format; None: no date).
        date_format: Format of the dates without one of their own; None: found from the values.
        keep_numeric: Whether to leave out columns without numbers.
        date_formats: Format of each date column, as `resolve` finds it in the training table; None: not yet.
    """

    drop: list[str] = Field(default_factory=list)
    fill: Annotated[dict[str, Constant], NamedValues] = Field(default_factory=dict)
    dates: list[str] | Annotated[dict[str, str | None], NamedValues] | None = None
    date_format: str | None = None
    keep_numeric: bool = True
    date_formats: dict[str, str] | None = None

    @property
    def named_columns(self) -> dict[str, list[str]]:
        """See `CleaningStrategy.named_columns`."""
        return {"cleaning.drop": self.drop, "cleaning.fill": list(self.fill), "cleaning.dates": list(self.dates or ())}

    def resolve(self, table: pd.DataFrame) -> Self:
        """See `CleaningStrategy.resolve`; find the date columns and their formats."""
        if self.date_formats is not None:
            return self
        inputs = drop_columns(table, self.drop)
        expected = {str(name): self._expect(inputs[name]) for name in inputs.columns}
        formats = self._choose_formats({name: (inputs[name], each) for name, each in expected.items() if each})
        if self.date_format is not None and self.date_format not in formats.values():
            raise DataError(
                f"cleaning.date_format is {self.date_format}, but no column holds such dates; list the columns in "
                "cleaning.dates, or leave the format out."
            )
        return replace(self, date_formats=formats)

    def _choose_formats(self, columns: Mapping[str, tuple[pd.Series, Expectation]]) -> dict[str, str]:
        """Choose the format of each date column; those with two readings are refused together."""
        formats: dict[str, str] = {}
        readings: dict[str, Readings] = {}
        for name, (column, expected) in columns.items():
            try:
                date_format = choose_format(column, expected)
            except AmbiguousDates as error:
                readings |= error.readings
                continue
            if date_format is not None:
                formats[name] = date_format
        if readings:
            listed = {name: each for name, each in formats.items() if name in (self.dates or ())}
            raise AmbiguousDates(readings, self.dates if isinstance(self.dates, dict) else listed)
        return formats

    def _expect(self, column: pd.Series) -> Expectation | None:
        """Return what is known of a column beside its values; None when it holds no dates."""
        formats = self.dates if isinstance(self.dates, dict) else dict.fromkeys(self.dates or ())
        if column.name not in formats:
            return None
        own = formats[str(column.name)]
        if own is None and isinstance(self.dates, dict):
            return None
        return Expectation(own or self.date_format, is_listed=True)

    def describe_unreadable(self, table: pd.DataFrame) -> dict[str, str]:
        """See `CleaningStrategy.describe_unreadable`; count the values that do not fit the format of their column."""
        formats = {name: each for name, each in (self.date_formats or {}).items() if name in table}
        clauses = {name: describe_unreadable(table[name], each) for name, each in formats.items()}
        return {name: clause for name, clause in clauses.items() if clause is not None}

    @property
    def date_columns(self) -> dict[str, str]:
        """See `CleaningStrategy.date_columns`."""
        return self.date_formats or {}

    def left_out(self, table: pd.DataFrame) -> dict[str, str]:
        """See `CleaningStrategy.left_out`; without text, give the kind of each column that holds no numbers."""
        kinds = {name: kind for name, kind in infer_kinds(table).items() if not kind.is_numeric}
        texts = {name: str(kind) for name, kind in kinds.items() if self.keep_numeric and name not in self.date_columns}
        return {**texts, **{name: "dropped" for name in self.drop if name in table}}

    def mask_unreadable(self, table: pd.DataFrame) -> pd.DataFrame:
        """See `CleaningStrategy.mask_unreadable`."""
        formats = {name: each for name, each in (self.date_formats or {}).items() if name in table}
        unreadable = {name: find_unreadable(table[name], each).index for name, each in formats.items()}
        masked = {name: table[name].mask(table.index.isin(rows)) for name, rows in unreadable.items() if len(rows)}
        return table.assign(**masked) if masked else table

    def handle_data(self, table: pd.DataFrame) -> pd.DataFrame:
        """See `CleaningStrategy.handle_data`; refuse date columns of which too many values do not fit the format."""
        for problem in self.problems():
            raise ConfigError(problem)
        strategy = self.resolve(table)
        if strategy is not self:  # formats that are known were checked with the whole table
            strategy.describe_unreadable(table)
        return strategy.transform_rows(table)

    def transform_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Drop, fill, turn dates into numbers and keep numeric columns, in this order."""
        if self.date_formats is None:
            return self.resolve(table).transform_rows(table)
        table = drop_columns(table, self.drop)
        fill = {name: fill_missing(table[name], constant) for name, constant in self.fill.items() if name in table}
        table = table.assign(**fill) if fill else table
        dates = {name: parse_dates(table[name], each) for name, each in self.date_formats.items() if name in table}
        table = append_columns(drop_columns(table, list(dates)), self.date_features(dates)) if dates else table
        return select_numeric(table) if self.keep_numeric else table

    def date_features(self, dates: dict[str, pd.Series]) -> Mapping[str, ArrayLike]:
        """Return the days since 1970-01-01 of each date column, as `NAME_days`."""
        return {f"{name}_days": count_days(date) for name, date in dates.items()}

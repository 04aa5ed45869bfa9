"""Schema of a model: the validation of rows against its raw columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlrunner.core.date_parsing import parse_dates
from mlrunner.core.errors import brief
from mlrunner.serving.columns import (
    INVALID_ROWS,
    KIND_TYPES,
    MAX_NAMES,
    MISSING_DATES,
    Array,
    Arrays,
    RawColumn,
    find_similar,
)
from mlrunner.serving.csv_format import CsvFormat
from mlrunner.serving.errors import RequestError
from mlrunner.serving.requests import Columns


@dataclass(frozen=True)
class Schema:
    """Hold the raw columns of a model, in the order of the data set."""

    columns: tuple[RawColumn, ...]

    @property
    def names(self) -> list[str]:
        """Column names."""
        return [column.name for column in self.columns]

    def validate(self, values: Columns, csv_format: CsvFormat | None = None) -> Arrays:
        """Validate rows, and add absent optional columns with missing values.

        Args:
            values: Values by column name, one a row; unknown columns are ignored.
            csv_format: Format of values that are texts, as in CSV; None: they have types.

        Returns:
            One array for each column of the model.

        Raises:
            RequestError: For the first error.
        """
        rows = len(next(iter(values.values())))
        absent = [column.name for column in self.columns if column.required and column.name not in values]
        if absent:
            raise RequestError(self._absent_columns(absent, values), INVALID_ROWS)
        given = {column.name: _read_column(column, values, rows, csv_format) for column in self.columns}
        dates = _parse_dates(self.columns, given)
        return {column.name: _to_array(column, given[column.name], dates.get(column.name)) for column in self.columns}

    def _absent_columns(self, absent: list[str], values: Columns) -> str:
        known = set(self.names)
        similar = find_similar(absent[0], (name for name in values if name not in known))
        hint = f" Did you mean '{absent[0]}' by '{similar}'?" if similar else ""
        subject = f"Column {absent[0]} is" if len(absent) == 1 else f"Columns {brief(absent, MAX_NAMES)} are"
        return f"{subject} missing, which the model needs.{hint}"

    def describe(self) -> Iterator[dict[str, Any]]:
        """Yield each column as a JSON-safe dict."""
        for column in self.columns:
            categories = None if column.categories is None else sorted(column.categories)
            yield {"name": column.name, "kind": column.kind, "required": column.required, "categories": categories}


def _read_column(column: RawColumn, values: Columns, rows: int, csv_format: CsvFormat | None) -> Sequence[Any]:
    raw = values.get(column.name)
    if raw is None:
        return [None] * rows
    return raw if csv_format is None else column.parse_texts(raw, csv_format)


def _parse_dates(columns: Iterable[RawColumn], given: Mapping[str, Sequence[Any]]) -> dict[str, Array]:
    """Parse the columns of dates without a wrong value, those of one format together: each call takes pandas long."""
    by_format: dict[str | None, list[RawColumn]] = {}
    for column in columns:
        if column.holds_dates and KIND_TYPES[column.kind].issuperset(map(type, given[column.name])):
            by_format.setdefault(column.date_format, []).append(column)
    parsed: dict[str, Array] = {}
    for date_format, alike in by_format.items():
        texts = pd.concat([column.write_dates(given[column.name]) for column in alike], ignore_index=True)
        dates = parse_dates(texts, date_format)
        is_wrong = dates.isna() & texts.notna() & ~texts.isin(MISSING_DATES)
        moments = np.split(dates.to_numpy("datetime64[us]"), len(alike))
        wrong = np.split(is_wrong.to_numpy(), len(alike))
        parsed.update({column.name: moments[at] for at, column in enumerate(alike) if not wrong[at].any()})
    return parsed


def _to_array(column: RawColumn, values: Sequence[Any], dates: Array | None) -> Array:
    """Check values and convert them; see `RawColumn.to_array`.

    Args:
        column: Their column.
        values: One a row.
        dates: The values as dates; None when they hold no dates, or a wrong one.

    Raises:
        RequestError: For the first error.
    """
    error = column.find_error(values) if dates is None else column.find_other_error(values)
    if error is not None:
        raise RequestError(error, INVALID_ROWS)
    return dates if dates is not None and (column.kind == "moment" or column.takes_dates) else column.to_array(values)

"""Schema of a model: the validation of rows against its raw columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mlrunner.core.errors import brief
from mlrunner.serving.columns import INVALID_ROWS, MAX_NAMES, Array, Arrays, RawColumn, find_similar
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
        return {column.name: _validate_column(column, values, rows, csv_format) for column in self.columns}

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


def _validate_column(column: RawColumn, values: Columns, rows: int, csv_format: CsvFormat | None) -> Array:
    raw = values.get(column.name)
    if raw is None:
        return column.to_array([None] * rows)
    parsed = raw if csv_format is None else column.parse_texts(raw, csv_format)
    error = column.find_error(parsed)
    if error is not None:
        raise RequestError(error, INVALID_ROWS)
    return column.to_array(parsed)

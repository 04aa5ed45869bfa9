"""The raw columns that a model takes, and what is wrong with rows that are not of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mlrunner.serving.columns import INVALID_ROWS, MAX_NAMES, Array, Arrays, Column, find_closest
from mlrunner.serving.errors import RequestError
from mlrunner.serving.requests import Columns


@dataclass(frozen=True)
class Schema:
    """All raw columns of a model, in the order of the data set."""

    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """The columns' names."""
        return [column.name for column in self.columns]

    def checked(self, given: Columns, as_text: bool = False) -> Arrays:
        """Check rows, and complete them with the columns that may be absent.

        Args:
            given: Column name to one value a row.
            as_text: Whether each value is a text, as in CSV.

        Returns:
            One array for each of the model's columns.

        Raises:
            RequestError: With the first thing that is wrong.
        """
        rows = len(next(iter(given.values())))
        absent = [column.name for column in self.columns if column.required and column.name not in given]
        if absent:
            raise RequestError(self._absent(absent, given), INVALID_ROWS)
        return {column.name: self._column(column, given, rows, as_text) for column in self.columns}

    def _column(self, column: Column, given: Columns, rows: int, as_text: bool) -> Array:
        values = given.get(column.name)
        if values is None:
            return column.array([None] * rows)
        values = column.parsed(values) if as_text else values
        wrong = column.wrong(values)
        if wrong is not None:
            raise RequestError(wrong, INVALID_ROWS)
        return column.array(values)

    def _absent(self, absent: list[str], given: Columns) -> str:
        known = set(self.names)
        close = find_closest(absent[0], (name for name in given if name not in known))
        hint = f" Did you mean '{absent[0]}' by '{close}'?" if close else ""
        told = ", ".join(absent[:MAX_NAMES]) + (
            f" and {len(absent) - MAX_NAMES} more" if len(absent) > MAX_NAMES else ""
        )
        word = "Column" if len(absent) == 1 else "Columns"
        return f"{word} {told} {'is' if len(absent) == 1 else 'are'} missing, which the model needs.{hint}"

    def described(self) -> Iterator[dict[str, Any]]:
        """Tell each column for a person or a form."""
        for column in self.columns:
            categories = None if column.categories is None else sorted(column.categories)
            yield {
                "name": column.name,
                "kind": column.kind,
                "required": column.required,
                "categories": categories,
            }

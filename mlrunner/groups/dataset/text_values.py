"""Read columns that are mostly numbers or truth values as such, and count the few texts that become missing.

Only where a text may be a number: in CSV, and in the columns of a database that hold values of several types. A text of
Parquet, or a column of texts alone in a database, is text.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.api import types

from mlrunner.core.column_kinds import TOLERATED, Kind
from mlrunner.core.errors import ProblemsError
from mlrunner.core.warning_names import Notice
from mlrunner.evaluation.advice.texts import advise

FEW = 50  # values that are looked at first
MOSTLY = 0.9  # share of numbers from which the other texts are mistakes or words for a gap
SIGNS_MOSTLY = 0.5  # the same where the other texts are signs only, such as "?" or "-"
EXAMPLE_LENGTH = 40  # characters
BOOLEANS = {"true": True, "false": False}


class NumberFormat(NamedTuple):
    """The format of numbers in a text file, with the names of `pandas.read_csv`."""

    decimal: str = "."
    thousands: str | None = None

    def parse(self, texts: pd.Series[Any]) -> pd.Series[Any]:
        """Parse texts as pandas parses a column of numbers; a text that is not a number becomes missing."""
        plain = texts if not self.thousands else texts.str.replace(self.thousands, "", regex=False)
        plain = plain if self.decimal == "." else plain.str.replace(self.decimal, ".", regex=False)
        return pd.Series(pd.to_numeric(plain, errors="coerce"))


@dataclass(frozen=True)
class TextColumn:
    """A column of texts, some of which fit a kind.

    Args:
        known: Its values without missing ones.
        kind: Number or boolean.
        number_format: Format of the numbers of a CSV file; None for a source with types.
    """

    known: pd.Series[Any]
    kind: Kind
    number_format: NumberFormat | None

    @cached_property
    def values(self) -> pd.Series[Any]:
        """The values as numbers or truth values, missing where they do not fit."""
        return _parse(self.known, self.kind, self.number_format)

    @property
    def misfits(self) -> pd.Series[Any]:
        """The texts that do not fit."""
        return self.known[self.values.isna()]

    @property
    def is_mostly_of_kind(self) -> bool:
        """Whether nearly all values fit, but not every one, and none is a code such as 007."""
        share, misfits = float(self.values.notna().mean()), self.misfits
        if misfits.empty or share < SIGNS_MOSTLY or not all(isinstance(value, str) for value in misfits):
            return False
        if share < MOSTLY and not misfits.astype(str).str.fullmatch(r"\W+").all():
            return False
        return self.number_format is None or not self.known.str.fullmatch(r"\s*0\d+").any()

    @property
    def are_few_lost(self) -> bool:
        """Whether so few values do not fit that they become missing."""
        return len(self.misfits) <= TOLERATED * len(self.known)

    def convert(self, rows: pd.Index) -> pd.Series[Any]:
        """Return the values of all rows of the table; whole numbers stay whole."""
        fitting = self.values.notna()
        if self.kind is Kind.BOOLEAN:
            return self.values[fitting].astype("boolean").reindex(rows)
        exact = _parse(self.known[fitting], self.kind, self.number_format)  # integers, now that all are numbers
        nullable: Any = {"i": "Int64", "u": "UInt64"}.get(exact.dtype.kind, "float64")
        return exact.astype(nullable).reindex(rows)

    def describe(self) -> str:
        """Return a sentence with the count, an example, and what to set."""
        name, count, total = self.known.name, len(self.misfits), len(self.known)
        subject = f"{name} holds {self.kind.plural}, but {count:,} of {total:,} values ({100 * count / total:.3g} %)"
        can_set = self.number_format is not None and self.kind is Kind.NUMBER
        advice = advise(self.misfits) if can_set else "correct them at their source"
        lost = "do not fit and become missing" if self.are_few_lost else "do not fit"
        example = str(self.misfits.iloc[0])[:EXAMPLE_LENGTH]
        return f"{subject} {lost}, first '{example}'; {advice}, or keep the texts: 'dataset.dtypes={{{name}: str}}'."


def convert_texts(
    table: pd.DataFrame, excluded: Collection[str | None], number_format: NumberFormat | None
) -> tuple[pd.DataFrame, list[Notice]]:
    """Convert columns of text that are mostly numbers or truth values; the other texts become missing.

    Args:
        table: Table as read; it is not modified.
        excluded: Columns that stay as they are.
        number_format: Format of the numbers of a CSV file; None for a source with types.

    Returns:
        The table, and a notice for each column with values that became missing.

    Raises:
        ProblemsError: When more than `TOLERATED` of the values of a column do not fit.
    """
    names = [str(name) for name, dtype in table.dtypes.items() if _may_hold_texts(dtype)]
    kinds = {name: _find_kind(table[name].dropna(), number_format) for name in names if name not in excluded}
    columns = {name: column for name, column in kinds.items() if column is not None}
    problems = [f"dataset: {column.describe()}" for column in columns.values() if not column.are_few_lost]
    if problems:
        raise ProblemsError(problems)
    converted = {name: column.convert(table.index) for name, column in columns.items()}
    notices = [Notice("unreadable_values", column.describe()) for column in columns.values()]
    return (table.assign(**converted) if converted else table), notices


def _may_hold_texts(dtype: Any) -> bool:
    return isinstance(dtype, pd.StringDtype) or types.is_object_dtype(dtype)


def _find_kind(known: pd.Series[Any], number_format: NumberFormat | None) -> TextColumn | None:
    """Find a column of which nearly all values are numbers or truth values; None for any other."""
    content = types.infer_dtype(known)
    if number_format is None:
        kinds = [Kind.NUMBER] if content.startswith("mixed") else []
    else:
        kinds = [Kind.NUMBER, Kind.BOOLEAN] if content == "string" else []
    few = known.iloc[np.random.default_rng(0).integers(len(known), size=FEW)] if kinds and len(known) else known[:0]
    likely = [kind for kind in kinds if _parse(few, kind, number_format).notna().sum() >= FEW * SIGNS_MOSTLY / 2]
    columns = (TextColumn(known, kind, number_format) for kind in likely)
    return next((column for column in columns if column.is_mostly_of_kind), None)


def _parse(known: pd.Series[Any], kind: Kind, number_format: NumberFormat | None) -> pd.Series[Any]:
    """Parse values as a kind; those that do not fit become missing."""
    if kind is Kind.BOOLEAN:
        return known.str.lower().map(BOOLEANS)
    if number_format is None:
        return pd.Series(pd.to_numeric(known, errors="coerce"))
    if not number_format.thousands:
        return number_format.parse(known)
    groups = rf"(\d{{1,3}}({re.escape(number_format.thousands)}\d{{3}})+|\d+)"  # so that 06.01.2020 is no number
    is_number = known.str.fullmatch(rf"[+-]?{groups}?({re.escape(number_format.decimal)}\d*)?")
    return number_format.parse(known.where(is_number))

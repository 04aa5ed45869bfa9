"""The raw columns that a model takes, and what is wrong with rows that are not of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from http import HTTPStatus
from itertools import islice
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlrunner.serving.errors import RequestError
from mlrunner.serving.requests import Columns

Array = npt.NDArray[Any]
Arrays = dict[str, Array]
Kind = Literal["number", "text", "moment", "boolean"]
TYPES: dict[str, frozenset[type]] = {
    "number": frozenset({int, float, type(None)}),
    "text": frozenset({str, type(None)}),
    "moment": frozenset({str, type(None)}),
    "boolean": frozenset({bool, type(None)}),
}
WORDS = {"number": "numbers", "text": "texts", "moment": "dates", "boolean": "true or false"}
UNFIT = HTTPStatus.UNPROCESSABLE_ENTITY  # a body of the protocol, but rows that are not the model's
SHOWN = 8  # categories that a sentence names
MANY, LONG = 200, 100  # words among which a similar one is looked for, and their characters
NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")
LARGEST = int(np.finfo(np.float64).max)
TRUTH = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True)
class Column:
    """A raw column.

    Args:
        name: As in the data set.
        kind: Of its values.
        required: Whether predictions need it; a required column may still hold missing values.
        categories: All that training saw; None where any value is taken.
    """

    name: str
    kind: Kind
    required: bool
    categories: frozenset[str] | None = None

    def wrong(self, values: Sequence[Any]) -> str | None:
        """Say in one sentence which value is wrong and why, or None."""
        if not TYPES[self.kind].issuperset(map(type, values)):
            place = next(at for at, value in enumerate(values) if type(value) not in TYPES[self.kind])
            return f"Column '{self.name}' holds {WORDS[self.kind]}, but row {place} has {_shown(values[place])}."
        if self.categories is not None and set(values) - self.categories - {None}:
            place = next(at for at, value in enumerate(values) if value is not None and value not in self.categories)
            return self._unknown(values[place], place)
        return None

    def _unknown(self, value: str, place: int) -> str:
        known = sorted(self.categories or ())
        told = ", ".join(known[:SHOWN]) + (f" and {len(known) - SHOWN} more" if len(known) > SHOWN else "")
        close = _closest(value, known)
        hint = f" Did you mean '{close}'?" if close else ""
        return (
            f"Column '{self.name}': row {place} has {_shown(value)}, which training did not see; it saw {told}.{hint}"
        )

    def array(self, values: Sequence[Any]) -> Array:
        """Lay checked values out as training saw them.

        Raises:
            RequestError: When a number is beyond what a double holds, or a text is no date.
        """
        if self.kind == "number":
            return self._numbers(values)
        if self.kind == "moment":
            return self._moments(values)
        column = np.empty(len(values), dtype=object)
        column[:] = values
        return column

    def _numbers(self, values: Sequence[Any]) -> Array:
        try:
            found = np.array(values, dtype=np.float64)
        except OverflowError:  # of a whole number, which has no infinity
            found = np.array([np.inf if isinstance(value, int) and abs(value) > LARGEST else 0.0 for value in values])
        if np.isinf(found).any():
            place = int(np.isinf(found).argmax())
            raise RequestError(f"Column '{self.name}' holds numbers, but row {place} has one beyond 1.8e308.", UNFIT)
        return found

    def _moments(self, values: Sequence[Any]) -> Array:
        try:
            return _dates(values)
        except Exception as error:  # dateutil raises one of many
            bad = next((at for at, value in enumerate(values) if not is_date(value)), None)
            if bad is None:  # together they are of more nanoseconds than fit
                return np.concatenate([_dates([value]) for value in values])
            told = f"Column '{self.name}' holds dates, but row {bad} has {_shown(values[bad])}."
            raise RequestError(told, UNFIT) from error

    def parsed(self, texts: Sequence[str | None]) -> list[Any]:
        """Read the texts of a CSV file as values of this kind; what cannot be read stays a text."""
        if self.kind == "number":
            return [float(text) if text is not None and NUMBER.fullmatch(text) else text for text in texts]
        if self.kind == "boolean":
            return [None if text is None else TRUTH.get(text.lower(), text) for text in texts]
        return list(texts)


def _shown(value: object) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    told = f"'{value}'" if isinstance(value, str) else json.dumps(value, default=str)
    return told if len(told) <= 60 else f"{told[:57]}..."


def _closest(word: str, possible: Iterable[str]) -> str | None:
    """Find a similar word, in a time that does not depend on how much came."""
    words = [one for one in islice(possible, MANY) if len(one) <= LONG]
    return next(iter(get_close_matches(word, words, n=1)), None) if len(word) <= LONG else None


def _dates(values: Sequence[Any]) -> Array:
    """Read dates in any common form, as microseconds; those with a time zone as UTC."""
    if any(len(value) > LONG for value in values if value is not None):
        raise ValueError("no date is so long")  # and it would take minutes to find out
    found = pd.to_datetime(pd.Series(values, dtype=object), format="mixed", utc=True)
    return found.dt.tz_localize(None).to_numpy("datetime64[us]")


def is_date(value: Any) -> bool:
    """Tell whether a value is a date, or missing."""
    try:
        _dates([value])
    except Exception:
        return False
    return True


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
            raise RequestError(self._absent(absent, given), UNFIT)
        return {column.name: self._column(column, given, rows, as_text) for column in self.columns}

    def _column(self, column: Column, given: Columns, rows: int, as_text: bool) -> Array:
        values = given.get(column.name)
        if values is None:
            return column.array([None] * rows)
        values = column.parsed(values) if as_text else values
        wrong = column.wrong(values)
        if wrong is not None:
            raise RequestError(wrong, UNFIT)
        return column.array(values)

    def _absent(self, absent: list[str], given: Columns) -> str:
        known = set(self.names)
        close = _closest(absent[0], (name for name in given if name not in known))
        hint = f" Did you mean '{absent[0]}' by '{close}'?" if close else ""
        told = ", ".join(absent[:SHOWN]) + (f" and {len(absent) - SHOWN} more" if len(absent) > SHOWN else "")
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

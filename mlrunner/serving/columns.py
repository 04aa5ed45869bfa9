"""TODO."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from http import HTTPStatus
from itertools import islice
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlrunner.serving.errors import RequestError

Array = npt.NDArray[Any]


Arrays = dict[str, Array]


Kind = Literal["number", "text", "moment", "boolean"]


KIND_TYPES: dict[str, frozenset[type]] = {
    "number": frozenset({int, float, type(None)}),
    "text": frozenset({str, type(None)}),
    "moment": frozenset({str, type(None)}),
    "boolean": frozenset({bool, type(None)}),
}


KIND_PLURALS = {"number": "numbers", "text": "texts", "moment": "dates", "boolean": "true or false"}


INVALID_ROWS = HTTPStatus.UNPROCESSABLE_ENTITY  # a body of the protocol, but rows that are not the model's


MAX_NAMES = 8  # categories that a sentence names


MANY, LONG = 200, 100  # words among which a similar one is looked for, and their characters


NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")


LARGEST = int(np.finfo(np.float64).max)


BOOLEAN_TEXTS = {"true": True, "false": False, "1": True, "0": False}


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
        if not KIND_TYPES[self.kind].issuperset(map(type, values)):
            place = next(at for at, value in enumerate(values) if type(value) not in KIND_TYPES[self.kind])
            return f"Column '{self.name}' holds {KIND_PLURALS[self.kind]}, but row {place} has {describe_value(values[place])}."
        if self.categories is not None and set(values) - self.categories - {None}:
            place = next(at for at, value in enumerate(values) if value is not None and value not in self.categories)
            return self._unknown(values[place], place)
        return None

    def _unknown(self, value: str, place: int) -> str:
        known = sorted(self.categories or ())
        told = ", ".join(known[:MAX_NAMES]) + (f" and {len(known) - MAX_NAMES} more" if len(known) > MAX_NAMES else "")
        close = find_closest(value, known)
        hint = f" Did you mean '{close}'?" if close else ""
        return f"Column '{self.name}': row {place} has {describe_value(value)}, which training did not see; it saw {told}.{hint}"

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
            raise RequestError(
                f"Column '{self.name}' holds numbers, but row {place} has one beyond 1.8e308.", INVALID_ROWS
            )
        return found

    def _moments(self, values: Sequence[Any]) -> Array:
        try:
            return parse_dates(values)
        except Exception as error:  # dateutil raises one of many
            bad = next((at for at, value in enumerate(values) if not is_date(value)), None)
            if bad is None:  # together they are of more nanoseconds than fit
                return np.concatenate([parse_dates([value]) for value in values])
            told = f"Column '{self.name}' holds dates, but row {bad} has {describe_value(values[bad])}."
            raise RequestError(told, INVALID_ROWS) from error

    def parsed(self, texts: Sequence[str | None]) -> list[Any]:
        """Read the texts of a CSV file as values of this kind; what cannot be read stays a text."""
        if self.kind == "number":
            return [float(text) if text is not None and NUMBER.fullmatch(text) else text for text in texts]
        if self.kind == "boolean":
            return [None if text is None else BOOLEAN_TEXTS.get(text.lower(), text) for text in texts]
        return list(texts)


def describe_value(value: object) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    told = f"'{value}'" if isinstance(value, str) else json.dumps(value, default=str)
    return told if len(told) <= 60 else f"{told[:57]}..."


def find_closest(word: str, possible: Iterable[str]) -> str | None:
    """Find a similar word, in a time that does not depend on how much came."""
    words = [one for one in islice(possible, MANY) if len(one) <= LONG]
    return next(iter(get_close_matches(word, words, n=1)), None) if len(word) <= LONG else None


def parse_dates(values: Sequence[Any]) -> Array:
    """Read dates in any common form, as microseconds; those with a time zone as UTC."""
    if any(len(value) > LONG for value in values if value is not None):
        raise ValueError("no date is so long")  # and it would take minutes to find out
    found = pd.to_datetime(pd.Series(values, dtype=object), format="mixed", utc=True)
    return found.dt.tz_localize(None).to_numpy("datetime64[us]")


def is_date(value: Any) -> bool:
    """Tell whether a value is a date, or missing."""
    try:
        parse_dates([value])
    except Exception:
        return False
    return True

"""Raw columns of a model: the values that each kind of column accepts, and their arrays."""

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

from mlrunner.core.date_parsing import describe_format, find_unreadable, parse_dates
from mlrunner.core.errors import brief
from mlrunner.serving.csv_format import CsvFormat
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
INVALID_ROWS = HTTPStatus.UNPROCESSABLE_ENTITY  # the body follows the protocol, but its rows do not fit the model
MAX_NAMES = 8  # names or categories in one message
MAX_CANDIDATES, MAX_WORD_LENGTH = 200, 100  # limits of the search for a similar word
MAX_VALUE_LENGTH = 60  # characters of a value in a message
NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")
MISSING_DATES = ("", "NaT")  # the second is what pandas writes into the input example
LARGEST = int(np.finfo(np.float64).max)
PLAIN_CSV = CsvFormat()
BOOLEAN_TEXTS = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True)
class RawColumn:
    """Describe a raw column.

    Args:
        name: Name in the data set.
        kind: Kind of its values.
        required: Whether a request must have the column; it may still hold missing values.
        categories: Values of the training rows; None when any value is accepted.
        date_format: Format of the dates that the model reads in text or whole numbers; None: it reads none.
        takes_dates: Whether the model takes these dates themselves as well, so that they are parsed once.
    """

    name: str
    kind: Kind
    required: bool
    categories: frozenset[str] | None = None
    date_format: str | None = None
    takes_dates: bool = False

    @property
    def holds_dates(self) -> bool:
        """Whether the values are read as dates."""
        return self.kind == "moment" or self.date_format is not None

    def find_error(self, values: Sequence[Any]) -> str | None:
        """Return a message about the first wrong value; None when all values are accepted."""
        error = self.find_other_error(values)
        if error is not None:
            return error
        wrong = self.find_wrong_dates(values)
        return f"{self._expectation()}, but row {wrong[0]} has {describe_value(values[wrong[0]])}." if wrong else None

    def find_other_error(self, values: Sequence[Any]) -> str | None:
        """Do as `find_error`, but accept each date."""
        if not KIND_TYPES[self.kind].issuperset(map(type, values)):
            row = next(k for k, value in enumerate(values) if type(value) not in KIND_TYPES[self.kind])
            return f"{self._expectation()}, but row {row} has {describe_value(values[row])}."
        if self.categories is not None and set(values) - self.categories - {None}:
            row = next(k for k, value in enumerate(values) if value is not None and value not in self.categories)
            return self._unknown_category(values[row], row)
        return None

    def find_wrong_dates(self, values: Sequence[Any] | Array) -> list[int]:
        """Return the positions of the values that do not fit the format of the dates."""
        if not self.holds_dates:
            return []
        texts = self.write_dates(values)
        return find_unreadable(texts[~texts.isin(MISSING_DATES)], self.date_format).index.tolist()

    def write_dates(self, values: Sequence[Any] | Array) -> pd.Series:
        """Return dates as texts: a model may read them in whole numbers, such as 20200106."""
        column = pd.Series(values, dtype=None if isinstance(values, np.ndarray) else object)
        return column if self.kind == "moment" else column.map(_write_date, na_action="ignore")

    @property
    def contents(self) -> str:
        """What the column holds, for messages."""
        return KIND_PLURALS[self.kind] if self.date_format is None else f"dates in {describe_format(self.date_format)}"

    def _expectation(self) -> str:
        return f"Column '{self.name}' holds {self.contents}"

    def _unknown_category(self, value: str, row: int) -> str:
        known = sorted(self.categories or ())
        similar = find_similar(value, known)
        hint = f" Did you mean '{similar}'?" if similar else ""
        return (
            f"Column '{self.name}': row {row} has {describe_value(value)}, which training did not see; "
            f"it saw {brief(known, MAX_NAMES)}.{hint}"
        )

    def to_array(self, values: Sequence[Any]) -> Array:
        """Convert checked values to an array of the dtype of the training data.

        Raises:
            RequestError: If a number exceeds the range of a double.
        """
        if self.kind == "moment" or self.takes_dates:
            return parse_dates(self.write_dates(values), self.date_format).to_numpy("datetime64[us]")
        if self.kind == "number":
            return self._to_numbers(values)
        column = np.empty(len(values), dtype=object)
        column[:] = values
        return column

    def _to_numbers(self, values: Sequence[Any]) -> Array:
        try:
            numbers = np.array(values, dtype=np.float64)
        except OverflowError:  # raised for an integer; a float that is too large becomes infinity
            numbers = np.array([np.inf if isinstance(value, int) and abs(value) > LARGEST else 0.0 for value in values])
        if np.isinf(numbers).any():
            row = int(np.isinf(numbers).argmax())
            raise RequestError(f"{self._expectation()}, but row {row} has one beyond 1.8e308.", INVALID_ROWS)
        return numbers

    def parse_texts(self, texts: Sequence[str | None], csv_format: CsvFormat = PLAIN_CSV) -> list[Any]:
        """Parse the texts of a CSV file as values of this kind; texts that cannot be parsed are kept."""
        if self.kind == "number":
            return [None if text is None else _parse_number(text, csv_format) for text in texts]
        if self.kind == "boolean":
            known = csv_format.booleans
            return [None if text is None else known.get(text, BOOLEAN_TEXTS.get(text.lower(), text)) for text in texts]
        return list(texts)


def _parse_number(text: str, csv_format: CsvFormat) -> float | str:
    plain = csv_format.to_plain_number(text)
    return float(plain) if NUMBER.fullmatch(plain) else text


def describe_value(value: object) -> str:
    """Return a value as a message shows it, at most MAX_VALUE_LENGTH characters long."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = f"'{value}'" if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[: MAX_VALUE_LENGTH - 3]}..."


def find_similar(word: str, possible: Iterable[str]) -> str | None:
    """Find a similar word; the run time does not depend on the size of the request."""
    words = [candidate for candidate in islice(possible, MAX_CANDIDATES) if len(candidate) <= MAX_WORD_LENGTH]
    return next(iter(get_close_matches(word, words, n=1)), None) if len(word) <= MAX_WORD_LENGTH else None


def _write_date(value: object) -> str:
    """Write a date that is a whole number, such as 20200106, as a text."""
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)

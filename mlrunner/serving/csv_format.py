"""How the CSV of a request is read: by the options that the training table was read with."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Words that pandas reads as missing values unless keep_default_na is false.
MISSING_WORDS = frozenset(
    {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"}
    | {"NULL", "NaN", "None", "n/a", "nan", "null"}
)
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\r?\n')  # a hint for spreadsheets, before the header


@dataclass(frozen=True)
class CsvFormat:
    """Separator, numbers and words of CSV.

    Args:
        separator: One character between two values.
        skip_blanks: Whether to skip blanks after a separator.
        decimal: Mark before the fraction of a number.
        thousands: Mark between groups of digits; empty: none.
        missing: Texts that stand for a missing value.
        missing_by_column: Further ones of single columns.
        booleans: Truth value of further words.
    """

    separator: str = ","
    skip_blanks: bool = False
    decimal: str = "."
    thousands: str = ""
    missing: frozenset[str] = frozenset({""})
    missing_by_column: Mapping[str, frozenset[str]] = field(default_factory=dict)
    booleans: Mapping[str, bool] = field(default_factory=dict)

    def read_rows(self, text: str, names: Sequence[str]) -> list[list[str]]:
        """Split a text into rows of values, the header first; empty lines are left out.

        Args:
            text: CSV with a header.
            names: Columns of the model; the separator that gives more of them in the header is the right one.

        Raises:
            csv.Error: If quotes are not closed.
        """
        line = SEPARATOR_LINE.match(text)
        body = text[line.end() :] if line else text
        possible = [line[1]] if line else [self.separator, ","]
        separator = max(dict.fromkeys(possible), key=lambda mark: len(set(_split_header(body, mark)) & set(names)))
        header = _split_header(body, separator, strip=False)
        skip = self.skip_blanks or (len(header) > 1 and all(name.startswith(" ") for name in header[1:]))
        lines = io.StringIO(body, newline="")
        reader = csv.reader(lines, strict=True, delimiter=separator, skipinitialspace=skip)
        return [row for number, row in enumerate(reader) if row or number == 0]

    def blank_missing(self, name: str, texts: Sequence[str]) -> list[str | None]:
        """Replace the words for a missing value in a column."""
        words = self.missing | self.missing_by_column.get(name, frozenset())
        return [None if text in words else text for text in texts]

    def to_plain_number(self, text: str) -> str:
        """Write a number with a decimal point and without marks between thousands."""
        plain = text.replace(self.thousands, "") if self.thousands else text
        return plain if self.decimal == "." else plain.replace(self.decimal, ".")


def parse_options(options: Mapping[str, Any]) -> CsvFormat:
    """Read options of `pandas.read_csv`, as a model keeps them."""
    separator = str(options.get("sep") or options.get("delimiter") or ",").replace("\\t", "\t")
    added = options.get("na_values")
    by_column = {str(name): _words(words) for name, words in added.items()} if isinstance(added, Mapping) else {}
    missing = (MISSING_WORDS if options.get("keep_default_na", True) else frozenset()) | (
        frozenset() if isinstance(added, Mapping) else _words(added)
    )
    has_gaps = options.get("na_filter", True)
    return CsvFormat(
        separator=separator if len(separator) == 1 else ",",
        skip_blanks=bool(options.get("skipinitialspace", False)),
        decimal=str(options.get("decimal") or "."),
        thousands=str(options.get("thousands") or ""),
        missing=missing if has_gaps else frozenset(),
        missing_by_column=by_column if has_gaps else {},
        booleans=dict.fromkeys(_words(options.get("true_values")), True)
        | dict.fromkeys(_words(options.get("false_values")), False),
    )


def _words(values: Any) -> frozenset[str]:
    if values is None:
        return frozenset()
    return frozenset(map(str, [values] if isinstance(values, str | int | float) else values))


def _split_header(text: str, separator: str, strip: bool = True) -> list[str]:
    """Split the first line, which need not be well-formed."""
    first = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
    return [name.strip() for name in first] if strip else first

"""Find out how a CSV file is laid out: its separator, its header, and what spreadsheets and pandas add to it."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_integer_dtype

from mlrunner.core.errors import DataError, brief

# The options that determine how the header row is split.
LAYOUT = (
    "sep delimiter encoding encoding_errors quotechar quoting doublequote escapechar skiprows comment "
    "skipinitialspace skip_blank_lines"
)
SEPARATORS = {",": "','", ";": "';'", "\t": r"'\t'", "|": "'|'"}
SEPARATOR_LINE = re.compile(rb'(?:\xef\xbb\xbf)?"?sep=(.)"?\r?\n')  # a hint for spreadsheets, before the header
DATE_ROWS = 1000  # rows in which dates are looked for
AFTER_LAST_SEPARATOR = "(after the last separator)"  # name of the column that a separator at the end of rows makes


def complete_options(options: dict[str, Any]) -> dict[str, Any]:
    r"""Add the default options of `pandas.read_csv`.

    Whole columns determine their types, \t may be typed in a shell, and no column becomes the index unasked.

    Args:
        options: Options of the user, which take precedence.
    """
    separator = str(options.get("sep", ",")).replace("\\t", "\t")
    fast = {"low_memory": False} if "engine" not in options and len(separator) == 1 else {}
    slow = {"engine": "python"} if "engine" not in options and not fast else {}
    index = {} if options.get("engine") == "pyarrow" else {"index_col": False}
    return {**fast, **slow, **index, **options, **({"sep": separator} if options.get("sep") is not None else {})}


def apply_separator_line(data: bytes, options: dict[str, Any]) -> dict[str, Any]:
    """Follow a first line such as `sep=;`, which spreadsheets write and skip; options of the user take precedence."""
    line = SEPARATOR_LINE.match(data)
    if line is None or options.keys() & {"skiprows", "header", "names"}:
        return options
    return {"sep": line[1].decode("latin-1"), "skiprows": 1, **options}


def read_header(data: bytes, options: dict[str, Any]) -> list[str]:
    """Read the column names as written in the file; pandas silently renames duplicates."""
    layout = {key: value for key, value in options.items() if key in LAYOUT.split()}
    row = pd.read_csv(
        io.BytesIO(data), header=None, nrows=1, dtype=str, keep_default_na=False, engine="python", **layout
    )
    return [str(name) for name in row.iloc[0]]


def check_header(subject: str, names: list[str], target: str | None) -> None:
    """Refuse duplicate names, and a header that another separator splits.

    Args:
        subject: Start of messages about the file.
        names: Column names as written.
        target: Column to predict; a header of this name alone is right.

    Raises:
        DataError: With what to change.
    """
    refuse_duplicates(subject, names, "rename them in the file")
    if len(names) == 1 and names[0] != target:
        for separator, quoted in SEPARATORS.items():
            if separator in names[0]:
                count = len(next(csv.reader([names[0]], delimiter=separator)))
                raise DataError(
                    f"{subject} has one column only, but {count} when split at {quoted}; "
                    f'set "dataset.options.sep={quoted}".'
                )
        if (count := len(re.split(r"\s\s+", names[0].strip()))) > 1:  # aligned; a single blank is a part of a name
            raise DataError(
                f"{subject} has one column only, but {count} when split at blanks; "
                r"""set "dataset.options.sep='\s\s+'"."""
            )


def refuse_duplicates(subject: str, names: Iterable[str], advice: str) -> None:
    """Refuse column names that occur more than once.

    Args:
        subject: Start of the message.
        names: Column names; empty ones (from a trailing comma) are ignored.
        advice: End of the message.

    Raises:
        DataError: When a name occurs more than once.
    """
    duplicates = [f"{name} ({count} times)" for name, count in Counter(names).items() if count > 1 and name]
    if duplicates:
        raise DataError(f"{subject} has duplicate column names: {brief(duplicates)}; {advice}.")


def has_blanks(names: list[str]) -> bool:
    """Check whether a blank follows each separator of the header, as in `a, b, c`."""
    return len(names) > 1 and all(name.startswith(" ") for name in names[1:])


def has_longer_rows(data: bytes, options: dict[str, Any]) -> bool:
    """Check whether the first row has more fields than the header."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Length of header", pd.errors.ParserWarning)
        try:
            pd.read_csv(io.BytesIO(data), **{**options, "nrows": 1})
        except pd.errors.ParserWarning:
            return True
    return False


def drop_empty_columns(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Drop the columns without a name that hold no data.

    These are an empty one, which a separator at the end of the header makes, and a first one of row numbers, which
    pandas and R write with a table.

    Args:
        table: Table as read.
        names: Names of its columns as written in the file.

    Raises:
        ParserWarning: When there are values after the last separator.
    """
    extra = table.get(AFTER_LAST_SEPARATOR)
    if extra is not None and extra.notna().any():
        raise pd.errors.ParserWarning("more fields than names")
    unnamed = [column for name, column in zip(names, table.columns, strict=False) if name == ""]
    first = [column for column in table.columns[:1] if column in unnamed and _counts_rows(table[column])]
    empty = [column for column in unnamed if table[column].isna().all()]
    dropped = [*dict.fromkeys([*first, *empty, *([] if extra is None else [AFTER_LAST_SEPARATOR])])]
    return table.drop(columns=dropped) if dropped and len(table) else table


def _counts_rows(column: pd.Series[Any]) -> bool:
    if not is_integer_dtype(column.dtype) or len(column) == 0:
        return False
    numbers = column.to_numpy(dtype=np.int64, na_value=-1)
    return numbers[0] in (0, 1) and bool((numbers == np.arange(len(numbers)) + numbers[0]).all())


def find_dates(data: bytes, options: dict[str, Any]) -> list[str]:
    """Find the columns whose dates would become numbers, since they contain the sign between thousands.

    Args:
        data: Decompressed bytes, at least of the first rows.
        options: Complete options of `pandas.read_csv`; without `thousands`, nothing is read.
    """
    sign = options.get("thousands")
    if not sign:
        return []
    others = {
        name: value for name, value in options.items() if name not in ("thousands", "dtype") and value != "pyarrow"
    }
    arguments: dict[str, Any] = {**others, "dtype": str, "nrows": DATE_ROWS}
    texts: pd.DataFrame = pd.read_csv(io.BytesIO(data), **arguments)
    number = re.escape(sign).join((r"(\d{1,2}", r"\d{1,2}", r"(\d{4}|\d\d)|\d{4}", r"\d{1,2}", r"\d{1,2})(\s.*)?"))
    return [name for name in texts.columns if texts[name].str.fullmatch(number).fillna(False).any()]

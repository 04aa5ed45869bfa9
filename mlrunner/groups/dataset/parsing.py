"""Read the bytes of one CSV or Parquet file for conf/dataset, refusing what pandas would silently bend."""

from __future__ import annotations

import csv
import inspect
import io
import re
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mlrunner.core.errors import ConfigError, DataError, brief, nearest

SIGNATURES = {
    b"PAR1": "Parquet",
    b"PK\x03\x04": "a zip archive or a workbook",
    b"\x1f\x8b": "gzip",
    b"(\xb5/\xfd": "zstd",
    b"%PDF": "a PDF",
    b"\x89PNG": "an image",
    b"SQLite format 3": "a SQLite database",
    b"<!doctype html": "a web page",
    b"<html": "a web page",
}
# The options that decide how the header row is split; the others do not concern it.
LAYOUT = (
    "sep delimiter encoding encoding_errors quotechar quoting doublequote escapechar skiprows comment "
    "skipinitialspace skip_blank_lines"
)
MEND = "mend it or set ++dataset.options.sep"
WHAT_SEPARATES = {";": "';'", "\t": r"'\t'", "|": "'|'"}


@dataclass(frozen=True)
class CsvReading:
    """Say how to read a CSV file: as in `mlrunner.groups.dataset.files.Source`."""

    options: dict[str, Any]
    as_text: tuple[str, ...] = ()
    target: str | None = None
    rows: int | None = None


def read_csv(subject: str, data: bytes, how: CsvReading) -> pd.DataFrame:
    """Parse CSV.

    Args:
        subject: How a message about the file begins: "dataset.path names '...', which".
        data: The unpacked bytes.
        how: Options of `pandas.read_csv` and what the data set says of its columns.

    Raises:
        ConfigError: An option does not exist.
        DataError: It is not CSV, or its header is not one.
    """
    known = inspect.signature(pd.read_csv).parameters
    for name in how.options.keys() - known.keys():
        raise ConfigError(f"dataset.options.{name} is not an option of pandas.read_csv.{nearest(name, known)}")
    options = _complete(how.options)
    _refuse_binary(subject, data, str(options.get("encoding") or "utf-8"))
    if not options.keys() & {"header", "names"}:
        _check_header(subject, _header(data, options), how.target)
    types = dict.fromkeys(how.as_text, "str") | dict(options.pop("dtype", {}))
    limit = {} if how.rows is None or options.get("engine") == "pyarrow" else {"nrows": how.rows}
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Length of header", pd.errors.ParserWarning)
        table: pd.DataFrame = pd.read_csv(io.BytesIO(data), dtype=types, **(options | limit))
    return table.reset_index(drop=True)


def read_parquet(subject: str, data: bytes, options: dict[str, Any]) -> pd.DataFrame:
    """Parse Parquet; a named index that pandas stored in it becomes columns again.

    Args:
        subject: How a message about the file begins.
        data: The unpacked bytes.
        options: Options of `pandas.read_parquet`.

    Raises:
        DataError: It is not Parquet, or a column name occurs twice.
    """
    if not data.startswith(b"PAR1"):
        kind = _signature(data) or "text, perhaps CSV"
        raise DataError(f"{subject} is not Parquet but {kind}; name another file or set dataset.format.")
    from pyarrow.parquet import ParquetFile

    refuse_duplicates(subject, ParquetFile(io.BytesIO(data)).schema_arrow.names, "rename them in the file")
    table = pd.read_parquet(io.BytesIO(data), **options)
    return table.reset_index(drop=all(name is None for name in table.index.names))


def refuse_duplicates(subject: str, names: Iterable[str], advice: str) -> None:
    """Refuse names that occur more than once; empty ones (a trailing comma) do not count.

    Raises:
        DataError: With the names and how often each occurs.
    """
    twice = [f"{name} ({count} times)" for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise DataError(f"{subject} has duplicate column names: {brief(twice)}; {advice}.")


def mistake(subject: str, error: Exception) -> str | None:
    """Explain what a parser raised, or nothing when it is not about the content."""
    match error:
        case UnicodeDecodeError():
            return (
                f"{subject} is not {error.encoding} text (byte 0x{error.object[error.start]:02x}); set the right "
                f"encoding, for example ++dataset.options.encoding=latin-1."
            )
        case LookupError() if "unknown encoding" in str(error):
            return f"dataset.options.encoding is not one that Python knows ({error}); try utf-8, latin-1 or utf-16."
        case pd.errors.EmptyDataError():
            return f"{subject} is empty (blank lines only); name a file that has a header and rows."
        case pd.errors.ParserWarning():
            return f"{subject} is not CSV: its rows have more fields than its header; {MEND}."
        case pd.errors.ParserError():
            return f"{subject} is not CSV: {_ragged(first_line(str(error)))}; {MEND}."
    return None


def first_line(text: str) -> str:
    """Take the first line of a library's message, without its full stop."""
    return (text.strip().splitlines() or [""])[0].rstrip(". ")


def _complete(options: dict[str, Any]) -> dict[str, Any]:
    r"""Add defaults: a type for whole columns, \t as typed in a shell, and no column made the index by itself."""
    separator = str(options.get("sep", ",")).replace("\\t", "\t")
    fast = {"low_memory": False} if "engine" not in options and len(separator) == 1 else {}
    slow = {"engine": "python"} if "engine" not in options and not fast else {}
    index = {} if options.get("engine") == "pyarrow" else {"index_col": False}
    return {**fast, **slow, **index, **options, **({"sep": separator} if options.get("sep") is not None else {})}


def _refuse_binary(subject: str, data: bytes, encoding: str) -> None:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") and "16" not in encoding:
        raise DataError(f"{subject} is not {encoding} text but UTF-16; set ++dataset.options.encoding=utf-16.")
    kind = _signature(data)
    if kind is None and b"\0" in data[:8192] and not re.search("16|32", encoding):
        kind = "binary data"
    if kind is not None:
        raise DataError(f"{subject} is not CSV but {kind}; name another file or set dataset.format.")


def _signature(data: bytes) -> str | None:
    start = data[:32].lstrip().lower()
    return next((kind for mark, kind in SIGNATURES.items() if start.startswith(mark.lower())), None)


def _header(data: bytes, options: dict[str, Any]) -> list[str]:
    """Read the names as they stand in the file: pandas renames duplicates without a word."""
    layout = {key: value for key, value in options.items() if key in LAYOUT.split()}
    row = pd.read_csv(
        io.BytesIO(data), header=None, nrows=1, dtype=str, keep_default_na=False, engine="python", **layout
    )
    return [str(name) for name in row.iloc[0]]


def _check_header(subject: str, names: list[str], target: str | None) -> None:
    refuse_duplicates(subject, names, "rename them in the file")
    if len(names) == 1 and names[0] != target:
        for mark, written in WHAT_SEPARATES.items():
            if mark in names[0]:
                found = len(next(csv.reader([names[0]], delimiter=mark)))
                raise DataError(
                    f"{subject} has one column only, but {found} when split at {written}; "
                    f'set "++dataset.options.sep={written}".'
                )


def _ragged(message: str) -> str:
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message)
    if found is not None:
        return f"line {found[2]} has {found[3]} fields where {found[1]} are expected"
    if "EOF inside string" in message or "unexpected end of data" in message:
        return "a quotation mark is never closed"
    return message.removeprefix("Error tokenizing data. C error: ")

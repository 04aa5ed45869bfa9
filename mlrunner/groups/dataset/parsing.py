"""Parse the bytes of one CSV or Parquet file, and refuse mistakes that pandas would silently repair."""

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

from mlrunner.core.errors import ConfigError, DataError, brief, first_line, nearest

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
# The options that determine how the header row is split.
LAYOUT = (
    "sep delimiter encoding encoding_errors quotechar quoting doublequote escapechar skiprows comment "
    "skipinitialspace skip_blank_lines"
)
SEPARATOR_HINT = "correct it or set dataset.options.sep"
SEPARATORS = {";": "';'", "\t": r"'\t'", "|": "'|'"}


@dataclass(frozen=True)
class CsvReading:
    """Settings of one CSV file, like those of `mlrunner.groups.dataset.files.Source`."""

    options: dict[str, Any]
    as_text: tuple[str, ...] = ()
    target: str | None = None
    rows: int | None = None


def read_csv(subject: str, data: bytes, how: CsvReading) -> pd.DataFrame:
    """Parse CSV.

    Args:
        subject: Start of messages about the file: "dataset.path names '...', which".
        data: Decompressed bytes.
        how: Options of `pandas.read_csv` and settings of the columns.

    Raises:
        ConfigError: When an option does not exist.
        DataError: When the bytes are not CSV with a header.
    """
    known = inspect.signature(pd.read_csv).parameters
    for name in how.options.keys() - known.keys():
        raise ConfigError(f"dataset.options.{name} is not an option of pandas.read_csv.{nearest(name, known)}")
    options = complete_options(how.options)
    _refuse_binary(subject, data, str(options.get("encoding") or "utf-8"))
    if not options.keys() & {"header", "names"}:
        _check_header(subject, _read_header(data, options), how.target)
    types = dict.fromkeys(how.as_text, "str") | dict(options.pop("dtype", {}))
    limit = {} if how.rows is None or options.get("engine") == "pyarrow" else {"nrows": how.rows}
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Length of header", pd.errors.ParserWarning)
        table: pd.DataFrame = pd.read_csv(io.BytesIO(data), dtype=types, **(options | limit))
    return table.reset_index(drop=True)


def read_parquet(subject: str, data: bytes, options: dict[str, Any]) -> pd.DataFrame:
    """Parse Parquet; a named index that pandas stored becomes columns.

    Args:
        subject: Start of messages about the file.
        data: Decompressed bytes.
        options: Options of `pandas.read_parquet`.

    Raises:
        DataError: When the bytes are not Parquet, or a column name occurs twice.
    """
    if not data.startswith(b"PAR1"):
        kind = _detect_kind(data) or "text, perhaps CSV"
        raise DataError(f"{subject} is not Parquet but {kind}; name another file or set dataset.format.")
    from pyarrow.parquet import ParquetFile

    refuse_duplicates(subject, ParquetFile(io.BytesIO(data)).schema_arrow.names, "rename them in the file")
    table = pd.read_parquet(io.BytesIO(data), **options)
    return table.reset_index(drop=all(name is None for name in table.index.names))


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


def explain_parser_error(subject: str, error: Exception) -> str | None:
    """Return a sentence for the error of a parser; None when the error does not concern the content.

    Args:
        subject: Start of the message.
        error: Error of pandas.
    """
    match error:
        case UnicodeDecodeError():
            return (
                f"{subject} is not {error.encoding} text (byte 0x{error.object[error.start]:02x}); set the right "
                f"encoding, for example dataset.options.encoding=latin-1."
            )
        case LookupError() if "unknown encoding" in str(error):
            return f"dataset.options.encoding is not an encoding of Python ({error}); try utf-8, latin-1 or utf-16."
        case pd.errors.EmptyDataError():
            return f"{subject} is empty (blank lines only); name a file that has a header and rows."
        case pd.errors.ParserWarning():
            return f"{subject} is not CSV: its rows have more fields than its header; {SEPARATOR_HINT}."
        case pd.errors.ParserError():
            return f"{subject} is not CSV: {_explain_tokenizing(first_line(error))}; {SEPARATOR_HINT}."
    return None


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


def _refuse_binary(subject: str, data: bytes, encoding: str) -> None:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") and "16" not in encoding:
        raise DataError(f"{subject} is not {encoding} text but UTF-16; set dataset.options.encoding=utf-16.")
    kind = _detect_kind(data)
    if kind is None and b"\0" in data[:8192] and not re.search("16|32", encoding):
        kind = "binary data"
    if kind is not None:
        raise DataError(f"{subject} is not CSV but {kind}; name another file or set dataset.format.")


def _detect_kind(data: bytes) -> str | None:
    start = data[:32].lstrip().lower()
    return next((kind for mark, kind in SIGNATURES.items() if start.startswith(mark.lower())), None)


def _read_header(data: bytes, options: dict[str, Any]) -> list[str]:
    """Read the column names as written in the file; pandas silently renames duplicates."""
    layout = {key: value for key, value in options.items() if key in LAYOUT.split()}
    row = pd.read_csv(
        io.BytesIO(data), header=None, nrows=1, dtype=str, keep_default_na=False, engine="python", **layout
    )
    return [str(name) for name in row.iloc[0]]


def _check_header(subject: str, names: list[str], target: str | None) -> None:
    refuse_duplicates(subject, names, "rename them in the file")
    if len(names) == 1 and names[0] != target:
        for separator, quoted in SEPARATORS.items():
            if separator in names[0]:
                count = len(next(csv.reader([names[0]], delimiter=separator)))
                raise DataError(
                    f"{subject} has one column only, but {count} when split at {quoted}; "
                    f'set "dataset.options.sep={quoted}".'
                )


def _explain_tokenizing(message: str) -> str:
    match = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message)
    if match is not None:
        return f"line {match[2]} has {match[3]} fields where {match[1]} are expected"
    if "EOF inside string" in message or "unexpected end of data" in message:
        return "a quotation mark is never closed"
    return message.removeprefix("Error tokenizing data. C error: ")

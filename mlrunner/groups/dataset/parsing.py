"""Parse the bytes of one CSV or Parquet file, and refuse mistakes that pandas would silently repair."""

from __future__ import annotations

import inspect
import io
import re
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pandas.api.types import is_float_dtype

from mlrunner.core.errors import ConfigError, DataError, first_line, nearest
from mlrunner.groups.dataset import csv_layout, leading_zeros
from mlrunner.groups.dataset.whole_numbers import NULLABLE, find_whole_floats, restore_whole_numbers

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
IN_PARTS = {"chunksize", "iterator"}
SEPARATOR_HINT = "correct it or set dataset.options.sep"


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
    options, names = prepare_options(subject, data, how)
    texts = [*csv_layout.find_dates(data, options), *how.as_text]
    types = dict.fromkeys(texts, "str") | dict(options.pop("dtype", {}))
    limit = {} if how.rows is None or options.get("engine") == "pyarrow" else {"nrows": how.rows}
    arguments = {**options, **limit, "dtype": types}
    table: pd.DataFrame = pd.read_csv(io.BytesIO(data), **arguments)
    again = {key: value for key, value in arguments.items() if key not in ("parse_dates", "usecols", "index_col")}
    again |= {"index_col": False, "dtype_backend": NULLABLE}
    table = restore_whole_numbers(
        table.reset_index(drop=True),
        find_whole_floats(table),
        lambda columns: pd.read_csv(io.BytesIO(data), usecols=columns, **again),
    )
    table = csv_layout.drop_empty_columns(table, names)
    table.attrs[leading_zeros.ATTRIBUTE] = leading_zeros.find_leading_zeros(data, table, arguments)
    return table


def prepare_options(subject: str, data: bytes, how: CsvReading) -> tuple[dict[str, Any], list[str]]:
    """Check the start of a CSV file, and find out what pandas needs to read it.

    Args:
        subject: Start of messages about the file.
        data: Decompressed bytes, at least of the first rows.
        how: Options of `pandas.read_csv` and settings of the columns.

    Returns:
        Options for `pandas.read_csv`, and the column names as written; none where the options name or choose columns.

    Raises:
        ConfigError: When an option does not exist.
        DataError: When the bytes are not CSV with a header.
    """
    known = inspect.signature(pd.read_csv).parameters
    for name in how.options.keys() - known.keys():
        raise ConfigError(f"dataset.options.{name} is not an option of pandas.read_csv.{nearest(name, known)}")
    for name in how.options.keys() & IN_PARTS:
        raise ConfigError(f"dataset.options.{name} reads a table in parts, but it is needed at once; leave it out.")
    options = csv_layout.complete_options(csv_layout.apply_separator_line(data, how.options))
    _refuse_binary(subject, data, str(options.get("encoding") or "utf-8"))
    if options.keys() & {"header", "names"}:
        return options, []
    names = csv_layout.read_header(data, options)
    if csv_layout.has_blanks(names):
        options = {"skipinitialspace": True, **options}
        names = [name.lstrip(" ") for name in names]
    csv_layout.check_header(subject, names, how.target)
    if options.get("engine") != "pyarrow" and csv_layout.has_longer_rows(data, options):
        options |= {"names": [*names, csv_layout.AFTER_LAST_SEPARATOR], "header": 0}
    chooses = "usecols" in options or options.get("index_col", False) is not False
    return options, [] if chooses else names


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
    from pyarrow.types import is_integer

    schema = ParquetFile(io.BytesIO(data)).schema_arrow
    csv_layout.refuse_duplicates(subject, schema.names, "rename them in the file")
    table = pd.read_parquet(io.BytesIO(data), **options)
    whole = [field.name for field in schema if is_integer(field.type) and is_float_dtype(table.get(field.name))]
    table = restore_whole_numbers(
        table,
        whole,
        lambda names: pd.read_parquet(io.BytesIO(data), **{**options, "columns": names, "dtype_backend": NULLABLE}),
    )
    return table.reset_index(drop=all(name is None for name in table.index.names))


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
            return (
                f"{subject} is not CSV: its rows have more fields than its header; {SEPARATOR_HINT}, or set "
                "dataset.options.index_col=0 if each begins with the row's name, as R writes them."
            )
        case pd.errors.ParserError():
            return f"{subject} is not CSV: {_explain_tokenizing(first_line(error))}; {SEPARATOR_HINT}."
    return None


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


def _explain_tokenizing(message: str) -> str:
    match = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message)
    if match is not None:
        return f"line {match[2]} has {match[3]} fields where {match[1]} are expected"
    if "EOF inside string" in message or "unexpected end of data" in message:
        return "a quotation mark is never closed"
    return message.removeprefix("Error tokenizing data. C error: ")

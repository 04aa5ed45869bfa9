"""Request bodies in MLflow's scoring protocol, JSON or CSV, as columns of plain values."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson

from mlrunner.core.errors import brief
from mlrunner.serving.errors import RequestError

Columns = dict[str, list[Any]]
FORMS = ("dataframe_split", "dataframe_records", "inputs", "instances")
JSON_TYPES = ("application/json", "text/json", "application/octet-stream")  # the last is what no type is read as
CONSTANTS = (b"NaN", b"Infinity")  # which Python's json writes, and JSON does not have
CSV_TYPES = ("text/csv", "application/csv")


def read_columns(body: bytes, content_type: str, names: Sequence[str]) -> Columns:
    """Read the rows of a request.

    Args:
        body: As it came.
        content_type: Of the request, without parameters.
        names: The model's columns in order, for rows that come without names.

    Returns:
        Column name to one value a row; at least one row.

    Raises:
        RequestError: When it is not of the protocol.
    """
    if not body.strip():
        raise RequestError(f"The body is empty; send JSON with one of {', '.join(FORMS)}, or CSV with a header.")
    if content_type in CSV_TYPES:
        columns = _from_csv(body)
    elif content_type in JSON_TYPES:
        columns = _from_json(body, names)
    else:
        known = f"{JSON_TYPES[0]} or {CSV_TYPES[0]}"
        raise RequestError(
            f"Content-Type '{content_type}' is not read; send {known}.", HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        )
    if not columns or not next(iter(columns.values())):
        raise RequestError("The body holds no row; send at least one.")
    return columns


def parse_json(body: bytes) -> Any:
    """Read JSON, also as Python writes it: NaN is a missing value, Infinity a number that is refused later.

    Raises:
        RequestError: When it is not JSON.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if not any(word in body for word in CONSTANTS):
            raise RequestError(f"The body is not JSON ({error}).") from error
    try:
        found = json.loads(body, parse_constant=lambda word: None if word == "NaN" else float(word))
        if b"\\u" in body:
            json.dumps(found, ensure_ascii=False).encode()  # refuses half a surrogate pair, as orjson does
    except (ValueError, RecursionError) as error:
        raise RequestError(f"The body is not JSON ({error}).") from error
    return found


def _from_json(body: bytes, names: Sequence[str]) -> Columns:
    told = parse_json(body)
    if not isinstance(told, dict):
        raise RequestError(f"The body is JSON, but no object; it needs one of the keys {', '.join(FORMS)}.")
    if told.get("params"):
        raise RequestError("The model takes no params; leave them out.")
    given = [form for form in FORMS if form in told]
    if len(given) != 1:
        found = brief(told) if told else "no key"
        raise RequestError(f"The body needs exactly one of the keys {', '.join(FORMS)}; it has {found}.")
    value = told[given[0]]
    return _split(value) if given[0] == "dataframe_split" else _table(value, given[0], names)


def _split(value: Any) -> Columns:
    if not isinstance(value, dict) or not {"columns", "data"} <= set(value):
        raise RequestError("dataframe_split needs the keys columns and data.")
    names, data = value["columns"], value["data"]
    if not isinstance(names, list) or not isinstance(data, list):
        raise RequestError("dataframe_split.columns and dataframe_split.data must be lists.")
    if any(isinstance(name, list | dict) for name in names):
        raise RequestError("dataframe_split.columns must hold names.")
    return _by_place(data, [str(name) for name in names], "dataframe_split.data")


def _by_place(rows: list[Any], names: Sequence[str], key: str) -> Columns:
    """Turn rows of values into columns; `zip` does it at the speed of C."""
    if len(set(names)) != len(names):
        raise RequestError(f"{key} names a column twice.")
    widths = {len(row) if isinstance(row, list) else -1 for row in rows}
    if widths - {len(names)}:
        place = next(at for at, row in enumerate(rows) if not isinstance(row, list) or len(row) != len(names))
        found = f"{len(rows[place])} values" if isinstance(rows[place], list) else "no list"
        raise RequestError(f"{key}[{place}] holds {found}, but there are {len(names)} columns.")
    return {name: list(values) for name, values in zip(names, zip(*rows, strict=True), strict=False)}


def _table(value: Any, key: str, names: Sequence[str]) -> Columns:
    """Read records, columns, or rows without names."""
    if isinstance(value, dict) and key in ("inputs", "instances"):
        return _by_name(value, key)
    if not isinstance(value, list):
        raise RequestError(f"{key} must be a list of rows.")
    if value and isinstance(value[0], list) and key != "dataframe_records":
        return _by_place(value, names, key)
    return _records(value, key, names)


def _by_name(value: dict[str, Any], key: str) -> Columns:
    columns = {name: found if isinstance(found, list) else [found] for name, found in value.items()}
    lengths = {name: len(found) for name, found in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in list(lengths.items())[:4])
        raise RequestError(f"{key}: the columns are of different lengths ({told}).")
    return columns


def _records(value: list[Any], key: str, known: Sequence[str]) -> Columns:
    """Turn records into columns; of those that the model does not know, the names alone, for they may be millions."""
    odd = next((at for at, row in enumerate(value) if not isinstance(row, dict)), None)
    if odd is not None:
        raise RequestError(f"{key}[{odd}] must be an object, column name to value.")
    names = dict.fromkeys(name for row in value for name in row)
    columns: Columns = dict.fromkeys(names, [None] * len(value))
    return columns | {name: [row.get(name) for row in value] for name in known if name in names}


def _from_csv(body: bytes) -> Columns:
    """Read CSV with a header; every value stays a text, and an empty one is missing."""
    try:
        text = body.decode("utf-8-sig")
        header, *rows = list(csv.reader(io.StringIO(text, newline=""), strict=True)) or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise RequestError(f"The body is not CSV in UTF-8 ({error}).") from error
    lines = [[value or None for value in row] for row in rows if row]
    return _by_place(lines, header, "CSV row")

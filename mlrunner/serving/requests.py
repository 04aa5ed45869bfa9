"""Request bodies of MLflow's scoring protocol, JSON or CSV, as columns of Python values."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson

from mlrunner.core.errors import brief
from mlrunner.serving.csv_format import CsvFormat
from mlrunner.serving.errors import RequestError

Columns = dict[str, list[Any]]
FORMS = ("dataframe_split", "dataframe_records", "inputs", "instances")
JSON_TYPES = ("application/json", "text/json", "application/octet-stream")  # the last is the default of aiohttp
CONSTANTS = (b"NaN", b"Infinity")  # written by Python's json, but not part of JSON
METHODS = ("predict", "predict_proba")  # values of params.predict_method
CSV_TYPES = ("text/csv", "application/csv")
PLAIN_CSV = CsvFormat()


def read_media_type(header: str | None) -> str:
    """Read a Content-Type, as strictly as MLflow; without one, it is the last of `JSON_TYPES`.

    Raises:
        RequestError: If it has another parameter than `charset=utf-8`.
    """
    media_type, *parameters = (part.strip() for part in (header or JSON_TYPES[-1]).lower().split(";"))
    for parameter in filter(None, parameters):
        if parameter.replace('"', "") != "charset=utf-8":
            message = f"Content-Type has the parameter {parameter!r}; only charset=utf-8 is read."
            raise RequestError(message, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    return media_type


def read_columns(body: bytes, content_type: str, names: Sequence[str], csv_format: CsvFormat = PLAIN_CSV) -> Columns:
    """Read the rows of a request.

    Args:
        body: Body of the request.
        content_type: Media type without parameters.
        names: Columns of the model in order, for rows without names.
        csv_format: How to read CSV.

    Returns:
        Values by column name, one a row; at least one row.

    Raises:
        RequestError: If the body violates the protocol.
    """
    if not body.strip():
        raise RequestError(f"The body is empty; send JSON with one of {', '.join(FORMS)}, or CSV with a header.")
    if content_type in CSV_TYPES:
        columns = _read_csv(body, names, csv_format)
    elif content_type in JSON_TYPES:
        columns = _read_json(body, names)
    else:
        known = f"{JSON_TYPES[0]} or {CSV_TYPES[0]}"
        raise RequestError(
            f"Content-Type {content_type!r} is not read; send {known}.", HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        )
    if not columns or not next(iter(columns.values())):
        raise RequestError("The body holds no row; send at least one.")
    return columns


def wants_probabilities(body: bytes, content_type: str, choice: str | None) -> bool:
    """Check whether a request asks for class probabilities instead of classes.

    Args:
        body: Body of the request, whose `params` may name the `predict_method`, as in MLflow's protocol.
        content_type: Media type without parameters.
        choice: Value of the query's `probabilities`; None without one.

    Raises:
        RequestError: If the query or the params have other values.
    """
    if choice not in (None, "true", "false"):
        raise RequestError(f"probabilities={choice} should be true or false.")
    has_params = content_type in JSON_TYPES and b'"params"' in body
    request = parse_json(body) if has_params else None
    method = _read_method(request.get("params")) if isinstance(request, dict) else None
    return choice == "true" or (choice is None and method == "predict_proba")


def _read_method(params: Any) -> str | None:
    if not params:
        return None
    if not isinstance(params, dict):
        raise RequestError("params must be an object; it may hold predict_method.")
    method = params.get("predict_method", METHODS[0])  # other params are ignored, as MLflow does
    if method not in METHODS:
        raise RequestError(f"params.predict_method should be one of {', '.join(METHODS)}.")
    return str(method)


def parse_json(body: bytes) -> Any:
    """Parse JSON and the constants that Python writes: NaN becomes None, Infinity a number that is rejected later.

    A byte order mark is skipped; of equal keys the last one counts.

    Raises:
        RequestError: If the body is not JSON.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if not any(word in body for word in CONSTANTS):
            raise RequestError(f"The body is not JSON ({error}).") from error
    try:
        value = json.loads(body, parse_constant=lambda word: None if word == "NaN" else float(word))
        if b"\\u" in body:
            json.dumps(value, ensure_ascii=False).encode()  # raises for half a surrogate pair, as orjson does
    except (ValueError, RecursionError) as error:
        raise RequestError(f"The body is not JSON ({error}).") from error
    return value


def _read_json(body: bytes, names: Sequence[str]) -> Columns:
    request = parse_json(body)
    if not isinstance(request, dict):
        raise RequestError(f"The body is JSON, but not an object; it needs one of the keys {', '.join(FORMS)}.")
    _read_method(request.get("params"))
    forms = [form for form in FORMS if form in request]
    if len(forms) != 1:
        keys = brief(request) if request else "no key"
        raise RequestError(f"The body needs exactly one of the keys {', '.join(FORMS)}; it has {keys}.")
    value = request[forms[0]]
    return _read_split(value) if forms[0] == "dataframe_split" else _read_rows(value, forms[0], names)


def _read_split(value: Any) -> Columns:
    if not isinstance(value, dict) or not {"columns", "data"} <= set(value):
        raise RequestError("dataframe_split needs the keys columns and data.")
    names, data = value["columns"], value["data"]
    if not isinstance(names, list) or not isinstance(data, list):
        raise RequestError("dataframe_split.columns and dataframe_split.data must be lists.")
    if any(isinstance(name, list | dict) for name in names):
        raise RequestError("dataframe_split.columns must hold names.")
    return _transpose(data, [str(name) for name in names], "dataframe_split.data")


def _transpose(rows: list[Any], names: Sequence[str], key: str) -> Columns:
    """Convert rows of values to columns; `zip` is faster than a loop."""
    if len(set(names)) != len(names):
        raise RequestError(f"{key} names a column twice.")
    widths = {len(row) if isinstance(row, list) else -1 for row in rows}
    if widths - {len(names)}:
        index = next(k for k, row in enumerate(rows) if not isinstance(row, list) or len(row) != len(names))
        content = f"{len(rows[index])} values" if isinstance(rows[index], list) else "no list"
        raise RequestError(f"{key}[{index}] holds {content}, but there are {len(names)} columns.")
    return {name: list(values) for name, values in zip(names, zip(*rows, strict=True), strict=False)}


def _read_rows(value: Any, key: str, names: Sequence[str]) -> Columns:
    """Read records, columns, or rows without names."""
    if isinstance(value, dict) and key in ("inputs", "instances"):
        return _read_columns(value, key)
    if not isinstance(value, list):
        raise RequestError(f"{key} must be a list of rows.")
    if value and isinstance(value[0], list) and key != "dataframe_records":
        return _transpose(value, names, key)
    return _read_records(value, key, names)


def _read_columns(value: dict[str, Any], key: str) -> Columns:
    columns = {name: values if isinstance(values, list) else [values] for name, values in value.items()}
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        examples = ", ".join(f"{name} {length}" for name, length in list(lengths.items())[:4])
        raise RequestError(f"{key}: the columns are of different lengths ({examples}).")
    return columns


def _read_records(value: list[Any], key: str, known: Sequence[str]) -> Columns:
    """Convert records to columns; only the names of unknown columns are kept, as there may be millions."""
    index = next((k for k, row in enumerate(value) if not isinstance(row, dict)), None)
    if index is not None:
        raise RequestError(f"{key}[{index}] must be an object, column name to value.")
    names = dict.fromkeys(name for row in value for name in row)
    columns: Columns = dict.fromkeys(names, [None] * len(value))
    return columns | {name: [row.get(name) for row in value] for name in known if name in names}


def _read_csv(body: bytes, names: Sequence[str], csv_format: CsvFormat) -> Columns:
    """Read CSV with a header; values are texts, or None where they are missing."""
    try:
        text = body.decode("utf-8-sig")
        header, *rows = csv_format.read_rows(text, names) or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise RequestError(f"The body is not CSV in UTF-8 ({error}).") from error
    columns = _transpose(rows, header, "CSV row")
    return {name: csv_format.blank_missing(name, texts) for name, texts in columns.items()}

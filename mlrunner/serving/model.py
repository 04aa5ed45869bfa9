"""A released model in memory: its schema and its predictions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd

from mlrunner.core.errors import first_line
from mlrunner.core.finite import describe_invalid, find_invalid
from mlrunner.core.forests import predict_pipeline
from mlrunner.core.skops_format import import_skops
from mlrunner.serving import requests
from mlrunner.serving.columns import INVALID_ROWS, Arrays, Kind, RawColumn
from mlrunner.serving.csv_format import CsvFormat, parse_options
from mlrunner.serving.errors import RequestError
from mlrunner.serving.schema import Schema

RELEASE_FILE = "release.json"
EXAMPLE_FILE = "serving_input_example.json"
KINDS: dict[str, Kind] = {"string": "text", "datetime": "moment", "boolean": "boolean"}  # other types are numbers
# Names of the parts of a pipeline, see `mlrunner.groups.features`.
CLEANING_STEP, FEATURES_STEP, CATEGORIES_TRANSFORMER = "cleaning", "features", "low"


@dataclass(frozen=True)
class ServedModel:
    """Hold a fitted pipeline with the schema of its raw rows.

    Args:
        pipeline: scikit-learn pipeline from raw rows to predictions.
        schema: Raw columns.
        facts: Name, version, run and so on, for `/version`.
        example: A few raw rows, as a JSON body of the scoring protocol.
        csv_format: How CSV is read, as the training table was.
        accepted: Training categories of the columns in which others are accepted and counted.
    """

    pipeline: Any
    schema: Schema
    facts: dict[str, Any]
    example: bytes
    csv_format: CsvFormat = requests.PLAIN_CSV
    accepted: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def predict(self, arrays: Arrays) -> list[Any]:
        """Predict validated rows.

        Returns:
            One number or label a row.

        Raises:
            RequestError: If the model rejects a value, for example a missing one, or predicts NaN.
        """
        return list(np.ravel(self._call("predict", arrays)).tolist())

    @property
    def classes(self) -> list[Any] | None:
        """Classes in the order of their probabilities; None for a model without probabilities."""
        if not hasattr(self.pipeline, "predict_proba"):
            return None
        return list(np.asarray(self.pipeline.classes_).tolist())

    def predict_proba(self, arrays: Arrays) -> list[list[float]]:
        """Predict the class probabilities of validated rows.

        Returns:
            For each row, one probability a class, in the order of `classes`.

        Raises:
            RequestError: If the model has no probabilities, rejects a value, or predicts NaN.
        """
        if self.classes is None:
            raise RequestError("The model has no probabilities; leave predict_method and probabilities out.")
        values: list[list[float]] = np.asarray(self._call("predict_proba", arrays), dtype=float).tolist()
        return values

    def _call(self, method: str, arrays: Arrays) -> Any:
        try:
            predictions = np.asarray(predict_pipeline(self.pipeline, pd.DataFrame(arrays, copy=False), method))
        except (ValueError, ArithmeticError) as error:
            message = f"The model cannot predict these rows: {first_line(error)}."
            raise RequestError(message, INVALID_ROWS) from error
        invalid = np.atleast_1d(find_invalid(predictions)).reshape(predictions.shape[0], -1).any(axis=1)
        if invalid.any():
            words = describe_invalid(int(invalid.sum()), invalid.size, np.ravel(predictions))
            raise RequestError(f"The model {words}, first for row {int(invalid.argmax())}.", INVALID_ROWS)
        return predictions

    def read(self, body: bytes, content_type: str = "application/json") -> Arrays:
        """Read and validate the rows of a request body.

        Raises:
            RequestError: If the body violates the protocol, or its rows do not fit the model.
        """
        columns = requests.read_columns(body, content_type, self.schema.names, self.csv_format)
        is_csv = content_type in requests.CSV_TYPES
        return self.schema.validate(columns, self.csv_format if is_csv else None)

    def count_unknown(self, arrays: Arrays) -> dict[str, int]:
        """Count the values that training did not see, by column; only of columns in which they are accepted."""
        counts = {
            name: sum(value is not None and value not in categories for value in arrays[name].tolist())
            for name, categories in self.accepted.items()
        }
        return {name: count for name, count in counts.items() if count}

    def answer(self, body: bytes, content_type: str = "application/json") -> list[Any]:
        """Read, validate and predict the rows of a request body."""
        return self.predict(self.read(body, content_type))


def load_release(folder: Path, unknown_categories: str = "refuse") -> ServedModel:
    """Load a release.

    Args:
        folder: Folder with `model/` and `release.json`.
        unknown_categories: Whether to `refuse` or `accept` categories that the training rows do not have.

    Raises:
        OSError: If a file does not exist.
        Exception: If the model file is damaged or contains types that are not trusted; raised by skops.
    """
    release = json.loads((folder / RELEASE_FILE).read_text())
    saved = release["saved"]
    pipeline = import_skops().load(folder / "model" / saved["file"], trusted=saved["trusted"])
    schema = Schema(tuple(_parse_column(column) for column in saved["columns"]))
    example = orjson.dumps(requests.parse_json((folder / "model" / EXAMPLE_FILE).read_bytes()))
    schema = _restrict_dates(schema, pipeline)
    restricted = _restrict_categories(
        schema, pipeline, requests.read_columns(example, "application/json", schema.names)
    )
    csv_format = parse_options(saved.get("reading", {}))
    if unknown_categories == "refuse":
        return ServedModel(pipeline, restricted, release["facts"], example, csv_format)
    accepted = {column.name: column.categories for column in restricted.columns if column.categories is not None}
    return ServedModel(pipeline, schema, release["facts"], example, csv_format, accepted)


def _parse_column(column: dict[str, Any]) -> RawColumn:
    return RawColumn(column["name"], KINDS.get(column["type"], "number"), column["required"])


def _restrict_dates(schema: Schema, pipeline: Any) -> Schema:
    """Restrict the columns of which the cleaning reads dates to their format in training."""
    cleaning = pipeline.named_steps.get(CLEANING_STEP)
    if cleaning is not None:
        cleaning.checks_dates = False  # the schema does
    strategy = getattr(cleaning, "strategy", None)
    formats = getattr(strategy, "date_formats", None) or {}
    columns = (
        replace(column, date_format=formats[column.name], takes_dates=_takes_dates(strategy, column.name))
        if column.kind != "moment" and column.name in formats
        else column
        for column in schema.columns
    )
    return Schema(tuple(columns))


def _takes_dates(strategy: Any, name: str) -> bool:
    """Check whether a strategy only parses a column of dates; one of the user's own may read its text as well."""
    values = (*getattr(strategy, "fill", ()), *getattr(strategy, "clip", ()))
    return type(strategy).__module__.startswith("mlrunner.groups.cleaning") and name not in values


def _restrict_categories(schema: Schema, pipeline: Any, example: requests.Columns) -> Schema:
    """Restrict one-hot encoded text columns to the training categories, unless the cleaning changes their values."""
    categories = _read_categories(pipeline)
    cleaned = pipeline.named_steps[CLEANING_STEP].transform(pd.DataFrame(schema.validate(example)))
    unchanged = {
        name
        for name in categories
        if name in example and list(cleaned[name].dropna()) == [value for value in example[name] if value is not None]
    }
    columns = (
        replace(column, categories=categories[column.name])
        if column.kind == "text" and column.name in unchanged
        else column
        for column in schema.columns
    )
    return Schema(tuple(columns))


def _read_categories(pipeline: Any) -> dict[str, frozenset[str]]:
    """Read the categories that the one-hot encoder has learned, by column."""
    for name, encoder, columns in getattr(pipeline.named_steps.get(FEATURES_STEP), "transformers_", []):
        if name == CATEGORIES_TRANSFORMER:
            by_column = zip(columns, encoder[-1].categories_, strict=True)
            return {str(column): frozenset(map(str, categories)) for column, categories in by_column}
    return {}

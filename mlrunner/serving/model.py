"""A released model in memory: what it takes, and what it predicts."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd

from mlrunner.serving import requests
from mlrunner.serving.columns import INVALID_ROWS, Arrays, Column, Kind
from mlrunner.serving.errors import RequestError
from mlrunner.serving.schema import Schema

RELEASE_FILE = "release.json"
EXAMPLE_FILE = "serving_input_example.json"
KINDS: dict[str, Kind] = {"string": "text", "datetime": "moment", "boolean": "boolean"}  # the rest are numbers
CLEANING, LEARNED, FEW = (
    "cleaning",
    "features",
    "low",
)  # names of the parts of a pipeline, see `mlrunner.groups.features`


@dataclass(frozen=True)
class ServedModel:
    """A fitted pipeline with the schema of its raw rows.

    Args:
        pipeline: scikit-learn's, from raw rows to predictions.
        schema: Its raw columns.
        facts: Name, version, run and so on, for `/version`.
        example: A few raw rows, as a JSON body of the protocol.
    """

    pipeline: Any
    schema: Schema
    facts: dict[str, Any]
    example: bytes

    def predict(self, arrays: Arrays) -> list[Any]:
        """Predict checked rows.

        Returns:
            A number or a label a row; None where the model gives no number.

        Raises:
            RequestError: When the model refuses a value, for instance a gap where it knows none.
        """
        try:
            found = np.ravel(self.pipeline.predict(pd.DataFrame(arrays, copy=False)))
        except (ValueError, ArithmeticError) as error:
            why = str(error).partition("\n")[0].rstrip(".")
            raise RequestError(f"The model cannot predict these rows: {why}.", INVALID_ROWS) from error
        told = found.tolist()
        return [None if value != value else value for value in told] if found.dtype.kind == "f" else told

    def answer(self, body: bytes, content_type: str = "application/json") -> list[Any]:
        """Read, check and predict a request's body by itself."""
        given = requests.read_columns(body, content_type, self.schema.names)
        return self.predict(self.schema.checked(given, content_type in requests.CSV_TYPES))


def load_release(folder: Path, unknown_categories: str = "refuse") -> ServedModel:
    """Load a release.

    Args:
        folder: Holds `model/` and `release.json`.
        unknown_categories: `refuse` or `accept` what training did not see.

    Raises:
        OSError: When a file is not there.
        Exception: What skops says of a file that is damaged, or of types that it does not trust.
    """
    import skops.io

    described = json.loads((folder / RELEASE_FILE).read_text())
    saved = described["saved"]
    pipeline = skops.io.load(folder / "model" / saved["file"], trusted=saved["trusted"])
    schema = Schema(tuple(_column(told) for told in saved["columns"]))
    example = orjson.dumps(requests.parse_json((folder / "model" / EXAMPLE_FILE).read_bytes()))
    if unknown_categories == "refuse":
        schema = _closed(schema, pipeline, requests.read_columns(example, "application/json", schema.names))
    return ServedModel(pipeline, schema, described["facts"], example)


def _column(told: dict[str, Any]) -> Column:
    return Column(told["name"], KINDS.get(told["type"], "number"), told["required"])


def _closed(schema: Schema, pipeline: Any, example: requests.Columns) -> Schema:
    """Close the text columns that became one 0/1 column a category, where the cleaning hands their values through."""
    known = _categories(pipeline)
    cleaned = pipeline.named_steps[CLEANING].transform(pd.DataFrame(schema.checked(example)))
    kept = {name for name in known if name in example and list(cleaned[name].dropna()) == _present(example[name])}
    columns = (
        replace(column, categories=known[column.name]) if column.kind == "text" and column.name in kept else column
        for column in schema.columns
    )
    return Schema(tuple(columns))


def _present(values: list[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def _categories(pipeline: Any) -> dict[str, frozenset[str]]:
    """Find what the encoder of few categories learned, column by column."""
    for kind, encoder, names in getattr(pipeline.named_steps.get(LEARNED), "transformers_", []):
        if kind == FEW:
            learned = zip(names, encoder[-1].categories_, strict=True)
            return {str(name): frozenset(map(str, found)) for name, found in learned}
    return {}

"""Describe the raw rows that a saved model takes, for MLflow's signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

if TYPE_CHECKING:
    from mlrunner.groups.strategy import CleaningStrategy

KINDS = {"b": DataType.boolean, "i": DataType.long, "u": DataType.long, "f": DataType.double, "M": DataType.datetime}


def build_signature(pipeline: Any, rows: pd.DataFrame, strategy: CleaningStrategy) -> ModelSignature:
    """Build the signature of a pipeline; a column that the cleaning does not read is optional.

    Args:
        pipeline: Fitted pipeline that takes raw rows.
        rows: A few raw rows, as `convert_integers` returns them.
        strategy: Cleaning of the pipeline.
    """
    used = find_used_columns(rows, strategy)
    inputs = Schema([ColSpec(_mlflow_type(rows[name]), str(name), required=name in used) for name in rows.columns])
    predictions = pd.Series(pipeline.predict(rows))
    return ModelSignature(inputs=inputs, outputs=Schema([ColSpec(_mlflow_type(predictions), "prediction")]))


def convert_integers(rows: pd.DataFrame) -> pd.DataFrame:
    """Convert integers to doubles: MLflow does not accept missing values in an integer column of a signature."""
    integers = rows.select_dtypes("integer").columns
    return rows.astype(dict.fromkeys(integers, "float64"))


def find_used_columns(rows: pd.DataFrame, strategy: CleaningStrategy) -> set[str]:
    """Return the raw columns without which the cleaned features differ."""
    features = strategy.transform_rows(rows)
    return {str(name) for name in rows.columns if not _is_optional(str(name), rows, strategy, features)}


def _is_optional(name: str, rows: pd.DataFrame, strategy: CleaningStrategy, features: pd.DataFrame) -> bool:
    try:
        return bool(strategy.transform_rows(rows.drop(columns=name)).equals(features))
    except Exception:  # a user's strategy may raise any error when a column is missing
        return False


def _mlflow_type(column: pd.Series[Any]) -> DataType:
    return KINDS.get(getattr(column.dtype, "kind", "O"), DataType.string)

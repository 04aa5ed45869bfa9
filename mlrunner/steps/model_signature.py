"""Describe the raw rows that a saved model takes, for MLflow's signature."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from pandas.api.types import is_integer_dtype

from mlrunner.core.column_kinds import Kind, infer_kind
from mlrunner.groups.strategy import CleaningStrategy

NEARLY_EMPTY = 0.95  # share of the training rows without a value
TYPES = {Kind.BOOLEAN: DataType.boolean, Kind.MOMENT: DataType.datetime}


def build_signature(
    pipeline: Any, rows: pd.DataFrame, strategy: CleaningStrategy, empty: Collection[str] = ()
) -> ModelSignature:
    """Build the signature of a pipeline; a column that the cleaning does not read, or that is empty, is optional.

    Args:
        pipeline: Fitted pipeline that takes raw rows.
        rows: A few raw rows, as `convert_integers` returns them.
        strategy: Cleaning of the pipeline.
        empty: Columns that were nearly empty in training.
    """
    used = find_used_columns(rows, strategy) - set(empty)
    inputs = Schema([ColSpec(_mlflow_type(rows[name]), str(name), required=name in used) for name in rows.columns])
    predictions = pd.Series(pipeline.predict(rows))
    return ModelSignature(inputs=inputs, outputs=Schema([ColSpec(_mlflow_type(predictions), "prediction")]))


def find_nearly_empty(raw: pd.DataFrame) -> set[str]:
    """Return the columns with so few values that a client need not send them."""
    shares = raw.isna().mean()
    return {str(name) for name in shares.index[shares >= NEARLY_EMPTY]}


def convert_integers(rows: pd.DataFrame) -> pd.DataFrame:
    """Convert integers to doubles where the training table has gaps; the others take the integers of raw rows.

    MLflow accepts no missing value in an integer column of a signature, and no integers of 64 bits in one of doubles.
    """
    dtypes = rows.dtypes.items()
    integers = [name for name, dtype in dtypes if is_integer_dtype(dtype) and not _fits_long(dtype)]
    return rows.astype(dict.fromkeys(integers, "float64"))


def _fits_long(dtype: Any) -> bool:
    """Check for an integer dtype that cannot hold gaps, and whose values are below 2**63."""
    return isinstance(dtype, np.dtype) and dtype != np.uint64


def find_used_columns(rows: pd.DataFrame, strategy: CleaningStrategy) -> set[str]:
    """Return the raw columns without which the cleaned features differ.

    Columns are left out many at a time, because cleaning thousands of columns once for each takes minutes.
    """
    features = strategy.transform_rows(rows)
    names = [str(name) for name in rows.columns]
    shared = [name for name in names if name in features]
    without = _clean_without(shared, rows, strategy)
    used = set() if without is None else {name for name in shared if name not in without}
    return used | _bisect([name for name in names if name not in used], rows, strategy, features)


def _bisect(names: list[str], rows: pd.DataFrame, strategy: CleaningStrategy, features: pd.DataFrame) -> set[str]:
    """Return the used ones of some columns: of each half, unless the features are the same without all of them."""
    cleaned = _clean_without(names, rows, strategy) if names else features
    if cleaned is not None and cleaned.equals(features):
        return set()
    if len(names) == 1:
        return set(names)
    middle = len(names) // 2
    return {name for half in (names[:middle], names[middle:]) for name in _bisect(half, rows, strategy, features)}


def _clean_without(names: list[str], rows: pd.DataFrame, strategy: CleaningStrategy) -> pd.DataFrame | None:
    """Clean the rows without some columns; None when the strategy fails."""
    try:
        return strategy.transform_rows(rows.drop(columns=names))
    except Exception:  # a user's strategy may raise any error when a column is missing
        return None


def _mlflow_type(column: pd.Series[Any]) -> DataType:
    kind = infer_kind(column)
    if kind is Kind.NUMBER:
        return DataType.long if is_integer_dtype(column.dtype) else DataType.double
    return TYPES.get(kind, DataType.string)

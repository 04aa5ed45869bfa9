"""First step of the served model: turn raw rows, as a client sends them, into cleaned columns.

A served model imports this module, so it may need pandas, NumPy, scikit-learn and pydantic only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types
from sklearn.base import BaseEstimator, TransformerMixin

from mlrunner.core.errors import DataError
from mlrunner.groups.features import is_quantitative

if TYPE_CHECKING:
    from mlrunner.groups.strategy import CleaningStrategy


class CleaningTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Transform raw rows into the cleaned columns that the model was trained on.

    Args:
        strategy: Cleaning strategy.
        kinds: Kind in training of each raw column that the strategy may use: "number", "moment" or "text".
        columns: Names of the cleaned feature columns, in order.
    """

    def __init__(self, strategy: CleaningStrategy, kinds: dict[str, str], columns: list[str]) -> None:
        self.strategy = strategy
        self.kinds = kinds
        self.columns = columns

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Return the transformer itself; it learns nothing."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Clean raw rows.

        Args:
            X: Raw rows; an absent column counts as missing, an unknown one is ignored.

        Raises:
            DataError: When no column is known, or a value does not fit the kind of its column.
        """
        if not any(name in X for name in self.kinds):
            raise DataError(f"The rows have none of the model's columns; it needs {', '.join(self.kinds)}.")
        rows = pd.DataFrame({name: self._raw(X, name) for name in self.kinds}, index=X.index)
        cleaned = self.strategy.transform_rows(rows)
        return cleaned.reindex(columns=self.columns)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Return the names of the cleaned columns."""
        return np.asarray(self.columns, dtype=object)

    def _raw(self, X: pd.DataFrame, name: str) -> pd.Series:
        column = X[name] if name in X else pd.Series(None, index=X.index, name=name, dtype=object)
        return restore_kind(column, self.kinds[name])


def detect_kind(column: pd.Series) -> str:
    """Return the kind of a raw column: "number", "moment" or "text"."""
    if types.is_datetime64_any_dtype(column.dtype):
        return "moment"
    return "number" if is_quantitative(column) else "text"


def restore_kind(column: pd.Series, kind: str) -> pd.Series:
    """Convert a column to its kind in training, which JSON with null values does not preserve.

    Args:
        column: Column of raw rows.
        kind: Kind in training: "number", "moment" or "text".

    Raises:
        DataError: When a value does not fit the kind.
    """
    if kind == detect_kind(column) and column.dtype != object:
        return column
    if kind == "text":
        texts = [str(value) if known else None for value, known in zip(column, column.notna(), strict=True)]
        return pd.Series(texts, index=column.index, name=column.name, dtype=object)
    known = column.astype(object).where(column.notna(), np.nan if kind == "number" else None)
    try:
        return known.astype(np.float64) if kind == "number" else pd.to_datetime(known)
    except (TypeError, ValueError) as error:
        raise DataError(f"Column '{column.name}' holds {kind}s in training, but: {error}.") from error

"""The first part of the served model: from raw rows, as a client sends them, to cleaned columns.

A served model imports this module: nothing here may need more than pandas, numpy, scikit-learn and pydantic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types
from sklearn.base import BaseEstimator, TransformerMixin

from mlrunner.core.errors import DataError
from mlrunner.groups.features import is_number

if TYPE_CHECKING:
    from mlrunner.groups.strategy import CleaningStrategy


class CleaningTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turn raw rows into the cleaned columns that the model was trained on.

    Args:
        strategy: The cleaning strategy; it handles each row by itself.
        kinds: Kind of each raw column that the strategy may see, as in training: number, moment or text.
        columns: The cleaned feature columns, in order.
    """

    def __init__(self, strategy: CleaningStrategy, kinds: dict[str, str], columns: list[str]) -> None:
        self.strategy = strategy
        self.kinds = kinds
        self.columns = columns

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Learn nothing."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Clean rows; a column that is absent counts as missing, one that training did not know is passed over.

        Raises:
            DataError: When no column is known, or a value is not of its column's kind.
        """
        if not any(name in X for name in self.kinds):
            raise DataError(f"None of the model's columns is there; it takes {', '.join(self.kinds)}.")
        rows = pd.DataFrame({name: self._raw(X, name) for name in self.kinds}, index=X.index)
        cleaned = self.strategy.transform_rows(rows)
        return cleaned.reindex(columns=self.columns)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Name the cleaned columns."""
        return np.asarray(self.columns, dtype=object)

    def _raw(self, X: pd.DataFrame, name: str) -> pd.Series:
        column = X[name] if name in X else pd.Series(None, index=X.index, name=name, dtype=object)
        return restored(column, self.kinds[name])


def kind_of(column: pd.Series) -> str:
    """Tell the kind of a raw column: number, moment or text."""
    if types.is_datetime64_any_dtype(column.dtype):
        return "moment"
    return "number" if is_number(column) else "text"


def restored(column: pd.Series, kind: str) -> pd.Series:
    """Give a column the kind that it had in training, which JSON with a null in it does not tell.

    Raises:
        DataError: When a value is not of this kind.
    """
    if kind == kind_of(column) and column.dtype != object:
        return column
    if kind == "text":
        texts = [str(value) if known else None for value, known in zip(column, column.notna(), strict=True)]
        return pd.Series(texts, index=column.index, name=column.name, dtype=object)
    known = column.astype(object).where(column.notna(), np.nan if kind == "number" else None)
    try:
        return known.astype(np.float64) if kind == "number" else pd.to_datetime(known)
    except (TypeError, ValueError) as error:
        raise DataError(f"Column '{column.name}' holds {kind}s in training, but: {error}.") from error

"""Column encoders of the config group `features`; each is fitted inside the logged model.

They take pandas columns of any dtype, so what JSON makes of a number or a missing value is of no consequence.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from mlrunner.core.errors import DataError

Floats = NDArray[np.float64]
MISSING = "(missing)"  # a category like any other


def as_floats(column: pd.Series) -> Floats:
    """Turn one column into numbers: dates and durations into seconds, missing values into NaN.

    Raises:
        DataError: When a value is not a number.
    """
    if types.is_datetime64_any_dtype(column.dtype):
        column = (pd.to_datetime(column, utc=True) - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    elif types.is_timedelta64_dtype(column.dtype):
        column = column.dt.total_seconds()
    if types.is_numeric_dtype(column.dtype):  # true for bool too
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    known = column.notna().to_numpy()
    values = np.full(len(column), np.nan)
    try:
        values[known] = column[known].to_numpy(dtype=object).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"Column '{column.name}' holds numbers, but got a value that is none: {error}.") from error
    return values


def as_texts(column: pd.Series) -> NDArray[np.object_]:
    """Turn one column into texts, missing values into a text of their own."""
    known = column.notna().to_numpy()
    values = column.to_numpy(dtype=object, copy=True)
    values[known] = [str(value) for value in values[known]]
    values[~known] = MISSING
    return values


class ColumnEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Remember the names of the columns at fit, as scikit-learn asks of every transformer."""

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:  # noqa: ARG002
        """Remember the columns."""
        self.feature_names_in_ = np.asarray([str(name) for name in X.columns], dtype=object)
        self.n_features_in_ = X.shape[1]
        return self


class ToNumbers(OneToOneFeatureMixin, ColumnEncoder):  # type: ignore[misc]
    """Hand any columns on as one float64 table."""

    def transform(self, X: pd.DataFrame) -> Floats:
        """Convert; a table that is float64 throughout is not converted column by column."""
        if all(dtype == np.float64 for dtype in X.dtypes):
            return X.to_numpy()
        return np.column_stack([as_floats(X[name]) for name in X.columns])


class ToTexts(OneToOneFeatureMixin, ColumnEncoder):  # type: ignore[misc]
    """Hand any columns on as one table of texts, for encoders that choke on mixed types."""

    def transform(self, X: pd.DataFrame) -> NDArray[np.object_]:
        """Convert column by column."""
        return np.column_stack([as_texts(X[name]) for name in X.columns])


class TextHasher(ColumnEncoder):
    """Count the words of each free-text column into a fixed number of hashed bins.

    Args:
        bins: Output columns for each text column.
    """

    def __init__(self, bins: int = 16) -> None:
        self.bins = bins

    def transform(self, X: pd.DataFrame) -> Floats:
        """Hash; a missing text has no words, hence zeros."""
        from sklearn.feature_extraction.text import HashingVectorizer

        hasher = HashingVectorizer(n_features=self.bins, alternate_sign=False)
        texts = [np.where(X[name].isna(), "", as_texts(X[name])) for name in X.columns]
        return np.hstack([hasher.transform(column).toarray() for column in texts])

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Name each bin after its column."""
        names = [f"{name}#{bin_}" for name in self.feature_names_in_ for bin_ in range(self.bins)]
        return np.asarray(names, dtype=object)

"""Column encoders of the config group `features`, fitted as part of the logged model.

They accept pandas columns of any dtype, because JSON does not preserve the dtypes of the training rows.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from mlrunner.core.errors import DataError

Floats = NDArray[np.float64]
MISSING = "(missing)"  # the category of missing values


def to_floats(column: pd.Series) -> Floats:
    """Convert a column to float64: dates and durations to seconds, missing values to NaN.

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
        raise DataError(f"Column '{column.name}' needs numbers, but got another value: {error}.") from error
    return values


def to_texts(column: pd.Series) -> NDArray[np.object_]:
    """Convert a column to texts, missing values to `MISSING`."""
    known = column.notna().to_numpy()
    values = column.to_numpy(dtype=object, copy=True)
    values[known] = [str(value) for value in values[known]]
    values[~known] = MISSING
    return values


class ColumnEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Base of the encoders: store the column names at fit, and check them afterwards, as scikit-learn requires."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        return tags

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:  # noqa: ARG002
        """Store the column names."""
        self._read(X, reset=True)
        return self

    def _read(self, X: Any, reset: bool = False) -> pd.DataFrame:
        """Check the columns, and return them as a table; those of an array are called x0, x1 and so on.

        Args:
            X: Table or array.
            reset: Whether to store the columns instead.
        """
        if not reset:
            check_is_fitted(self, "n_features_in_")
        if isinstance(X, pd.DataFrame):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        values = validate_data(self, X, reset=reset, dtype=None, ensure_all_finite="allow-nan")
        return pd.DataFrame(values, columns=self._names)

    @property
    def _names(self) -> list[str]:
        """Names of the columns."""
        return list(getattr(self, "feature_names_in_", [f"x{at}" for at in range(self.n_features_in_)]))


class FloatConverter(OneToOneFeatureMixin, ColumnEncoder):  # type: ignore[misc]
    """Convert columns of any dtype to one float64 array."""

    def transform(self, X: pd.DataFrame) -> Floats:
        """Convert each column, or all at once when every dtype is float64."""
        X = self._read(X)
        if all(dtype == np.float64 for dtype in X.dtypes):
            return X.to_numpy()
        return np.column_stack([to_floats(X[name]) for name in X.columns])


class TextConverter(OneToOneFeatureMixin, ColumnEncoder):  # type: ignore[misc]
    """Convert columns of any dtype to one array of texts, for encoders that fail at mixed types."""

    def transform(self, X: pd.DataFrame) -> NDArray[np.object_]:
        """Convert each column."""
        X = self._read(X)
        return np.column_stack([to_texts(X[name]) for name in X.columns])


class TextHasher(ColumnEncoder):
    """Count the words of each free-text column in a fixed number of hashed bins.

    Args:
        bins: Number of output columns for each text column.
    """

    def __init__(self, bins: int = 16) -> None:
        self.bins = bins

    def transform(self, X: pd.DataFrame) -> Floats:
        """Count the hashed words; a missing text gives zeros."""
        from sklearn.feature_extraction.text import HashingVectorizer

        X = self._read(X)
        hasher = HashingVectorizer(n_features=self.bins, alternate_sign=False)
        texts = [np.where(X[name].isna(), "", to_texts(X[name])) for name in X.columns]
        return np.hstack([hasher.transform(column).toarray() for column in texts])

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Return one name for each bin, made of its column's name."""
        names = [f"{name}#{bin_}" for name in self._names for bin_ in range(self.bins)]
        return np.asarray(names, dtype=object)

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

from mlrunner.errors import DataError

Floats = NDArray[np.float64]
BETWEEN = "\x00"  # parts the categories that are kept as one text
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


class TargetMeans(ColumnEncoder):
    """Replace each category by the smoothed mean of the target among its training rows.

    The training rows themselves get means of the *other* folds, or the encoder would tell the answer.
    Unlike scikit-learn's `TargetEncoder` it needs no minimum of rows in a class, and its seed is its own.

    Args:
        classes: Whether the target is a class; with more than two, each class has its own column.
        smoothing: Weight of the overall mean, in rows.
        folds: Parts of the cross-fitting.
        seed: Of the folds.
    """

    def __init__(self, classes: bool = False, smoothing: float = 10.0, folds: int = 5, seed: int = 0) -> None:
        self.classes = classes
        self.smoothing = smoothing
        self.folds = folds
        self.seed = seed

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Learn the mean of each category."""
        self._learn(X, y)
        return self

    def fit_transform(self, X: pd.DataFrame, y: Any = None, **_: Any) -> Floats:
        """Learn, and encode the training rows fold by fold."""
        targets = self._learn(X, y)
        fold = np.random.default_rng(self.seed).permutation(len(X)) % max(1, min(self.folds, len(X)))
        columns = range(self.n_features_in_)
        return np.hstack([self._held_out(self._codes(X, at), at, targets, fold) for at in columns])

    def transform(self, X: pd.DataFrame) -> Floats:
        """Encode; a category that training did not know gets the overall mean."""
        return np.hstack([self.means_[at][self._codes(X, at)] for at in range(self.n_features_in_)])

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Name each output after its column, and its class where there is one for each."""
        labels = [] if self.labels_ is None else self.labels_.tolist()
        ends = [f"_{label}" for label in labels] if len(labels) > 2 else [""]
        return np.asarray([f"{name}{end}" for name in self.feature_names_in_ for end in ends], dtype=object)

    def _learn(self, X: pd.DataFrame, y: Any) -> Floats:
        super().fit(X)
        targets = self._targets(np.asarray(y))
        self.overall_ = targets.mean(axis=0)
        self.categories_ = [_repeated(as_texts(X.iloc[:, at])) for at in range(self.n_features_in_)]
        codes = [self._codes(X, at) for at in range(self.n_features_in_)]
        self.means_ = [self._mean(*_totals(found, targets, self._size(at))) for at, found in enumerate(codes)]
        for means in self.means_:
            means[-1] = self.overall_
        return targets

    def _size(self, at: int) -> int:
        return len(self._categories(at)) + 1

    def _categories(self, at: int) -> list[str]:
        return self.categories_[at].split(BETWEEN) if self.categories_[at] != "" else []

    def _targets(self, y: NDArray[Any]) -> Floats:
        if not self.classes:
            self.labels_ = None
            return y.astype(np.float64).reshape(-1, 1)
        self.labels_ = np.unique(y)
        chosen = self.labels_ if len(self.labels_) > 2 else self.labels_[-1:]
        return np.asarray(y.reshape(-1, 1) == chosen, dtype=np.float64)

    def _codes(self, X: pd.DataFrame, at: int) -> NDArray[np.intp]:
        """Number the categories of one column; any other is -1, the last row of its means."""
        known = pd.Index(self._categories(at), dtype=object)
        codes: NDArray[np.intp] = known.get_indexer(pd.Index(as_texts(X.iloc[:, at]), dtype=object))
        return codes

    def _mean(self, sums: Floats, counts: Floats) -> Floats:
        weighted: Floats = (sums + self.smoothing * self.overall_) / (counts[:, None] + self.smoothing)
        return weighted

    def _held_out(self, codes: NDArray[np.intp], at: int, targets: Floats, fold: NDArray[np.int64]) -> Floats:
        """Encode each row by the rows of the other folds."""
        size = self._size(at)
        sums, counts = _totals(codes, targets, size)
        encoded = np.empty((len(codes), targets.shape[1]))
        for part in np.unique(fold):
            rows = fold == part
            own_sums, own_counts = _totals(codes[rows], targets[rows], size)
            encoded[rows] = self._mean(sums - own_sums, counts - own_counts)[codes[rows]]
        return encoded


def _repeated(texts: NDArray[np.object_]) -> str:
    """Join the categories of more than one row: a single row's mean says nothing of the next.

    One text, for skops takes a second to save ten thousand.
    """
    found, counts = np.unique(texts, return_counts=True)
    return BETWEEN.join(found[counts > 1])


def _totals(codes: NDArray[np.intp], targets: Floats, size: int) -> tuple[Floats, Floats]:
    """Sum the targets and count the rows of each category."""
    sums = [np.bincount(codes, weights=column, minlength=size) for column in targets.T]
    return np.column_stack(sums).astype(np.float64), np.bincount(codes, minlength=size).astype(np.float64)

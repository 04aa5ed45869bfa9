"""Encode text columns with many categories by smoothed means of the target."""

from __future__ import annotations

import json
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import check_consistent_length, column_or_1d

from mlrunner.groups.features.encoders import ColumnEncoder, Floats, to_texts


class TargetMeanEncoder(ColumnEncoder):
    """Encode each category by the smoothed mean of the target of its training rows.

    Training rows are encoded by the means of the *other* folds, since their own target must not leak into a feature.
    A category of a single row is encoded by the overall mean, like an unknown one.
    Unlike scikit-learn's `TargetEncoder`, it accepts classes of few rows and has its own seed.

    Args:
        classes: Whether the target is a class; with more than two classes, each has an output column.
        smoothing: Weight of the overall mean, in rows; above 0.
        folds: Number of folds of the cross-fitting.
        seed: Random seed of the folds.
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
        """Learn the means, and encode the training rows fold by fold."""
        X, targets = self._learn(X, y)
        fold = np.random.default_rng(self.seed).permutation(len(X)) % max(1, min(self.folds, len(X)))
        columns = range(self.n_features_in_)
        return np.hstack([self._held_out(self._codes(X, at), at, targets, fold) for at in columns])

    def transform(self, X: pd.DataFrame) -> Floats:
        """Encode each column; a category unknown in training gets the overall mean."""
        X = self._read(X)
        return np.hstack([self.means_[at][self._codes(X, at)] for at in range(self.n_features_in_)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Return the output names: the column's, with the class where each class has an output."""
        labels = [] if self.labels_ is None else self.labels_.tolist()
        ends = [f"_{label}" for label in labels] if len(labels) > 2 else [""]
        return np.asarray([f"{name}{end}" for name in self._names for end in ends], dtype=object)

    def _learn(self, X: Any, y: Any) -> tuple[pd.DataFrame, Floats]:
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        X = self._read(X, reset=True)
        targets = self._targets(column_or_1d(y, warn=True))
        check_consistent_length(X, targets)
        self.overall_ = targets.mean(axis=0)
        self.categories_ = [_serialize_categories(to_texts(X.iloc[:, at])) for at in range(self.n_features_in_)]
        codes = [self._codes(X, at) for at in range(self.n_features_in_)]
        self.means_ = [self._mean(*_sum_by_category(code, targets, self._size(at))) for at, code in enumerate(codes)]
        return X, targets

    def _size(self, at: int) -> int:
        return len(self._categories(at)) + 1

    def _categories(self, at: int) -> list[str]:
        categories: list[str] = json.loads(self.categories_[at])
        return categories

    def _targets(self, y: NDArray[Any]) -> Floats:
        if not self.classes:
            self.labels_ = None
            return y.astype(np.float64).reshape(-1, 1)
        self.labels_ = np.unique(y)
        labels = self.labels_ if len(self.labels_) > 2 else self.labels_[-1:]
        return np.asarray(y.reshape(-1, 1) == labels, dtype=np.float64)

    def _codes(self, X: pd.DataFrame, at: int) -> NDArray[np.intp]:
        """Return the category number of each row; -1, the last row of the means, for an unknown category."""
        known = pd.Index(self._categories(at), dtype=object)
        codes: NDArray[np.intp] = known.get_indexer(pd.Index(to_texts(X.iloc[:, at]), dtype=object))
        return codes

    def _mean(self, sums: Floats, counts: Floats) -> Floats:
        weighted: Floats = (sums + self.smoothing * self.overall_) / (counts[:, None] + self.smoothing)
        return weighted

    def _held_out(self, codes: NDArray[np.intp], at: int, targets: Floats, fold: NDArray[np.int64]) -> Floats:
        """Encode each row by the means of the other folds."""
        size = self._size(at)
        sums, counts = _sum_by_category(codes, targets, size)
        encoded = np.empty((len(codes), targets.shape[1]))
        for part in np.unique(fold):
            rows = fold == part
            own_sums, own_counts = _sum_by_category(codes[rows], targets[rows], size)
            encoded[rows] = self._mean(sums - own_sums, counts - own_counts)[codes[rows]]
        return encoded


def _serialize_categories(texts: NDArray[np.object_]) -> str:
    """Return the categories of more than one row as JSON; cross-fitting learns nothing from the others.

    One text, because skops takes a second to save ten thousand.
    """
    categories, counts = np.unique(texts, return_counts=True)
    return json.dumps(categories[counts > 1].tolist())


def _sum_by_category(codes: NDArray[np.intp], targets: Floats, size: int) -> tuple[Floats, Floats]:
    """Return the sum of the targets and the number of rows of each category, without rows of code -1."""
    targets, codes = targets[codes >= 0], codes[codes >= 0]
    sums = [np.bincount(codes, weights=column, minlength=size) for column in targets.T]
    return np.column_stack(sums).astype(np.float64), np.bincount(codes, minlength=size).astype(np.float64)

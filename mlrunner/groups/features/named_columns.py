"""Name what the encoders return: estimators are fitted on tables whose columns have the names of the features."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer

from mlrunner.core.estimators import make_safe


class NamedColumnTransformer(ColumnTransformer):  # type: ignore[misc]
    """Column transformer that returns a table; its columns have unique names and know their source column.

    scikit-learn's own tables (`set_output`) are joined from one table for each encoder, which takes longer than the
    encoding of a row. This one wraps the array of all encoders, without a copy.
    """

    def fit_transform(self, X: pd.DataFrame, y: Any = None, **params: Any) -> pd.DataFrame:
        """Fit the encoders and encode the training rows."""
        values = super().fit_transform(X, y, **params)
        features = list(_list_features(self.transformers_))
        self.feature_names_out_ = np.array(list(_make_unique(name for _, name in features)), dtype=object)
        self.source_columns_ = np.array([source for source, _ in features], dtype=object)
        return self._name(values, X)

    def transform(self, X: pd.DataFrame, **params: Any) -> pd.DataFrame:
        """Encode rows; a table that has the columns of training is not checked again, which takes longer than a row."""
        if params or not isinstance(X, pd.DataFrame) or not hasattr(self, "source_columns_"):
            return self._name(super().transform(X, **params), X)
        encoders = [(encoder, columns) for name, encoder, columns in self.transformers_ if name != "remainder"]
        if len(encoders) == 0 or not set(self.source_columns_).issubset(X.columns):
            return self._name(super().transform(X), X)
        return self._name(np.hstack([encoder.transform(X[columns]) for encoder, columns in encoders]), X)

    def get_feature_names_out(self, input_features: Any = None) -> Any:  # noqa: ARG002
        """Return the name of each feature."""
        return self.feature_names_out_

    def _name(self, values: Any, rows: pd.DataFrame) -> pd.DataFrame:
        array, columns = np.asarray(values), pd.Index(self.feature_names_out_, dtype=object)
        array.setflags(write=False)  # the trials of a search share it, and scikit-learn then copies what it overwrites
        return pd.DataFrame(array, index=rows.index, columns=columns, copy=False)


def _list_features(transformers: Iterable[tuple[str, Any, Sequence[str]]]) -> Iterator[tuple[str, str]]:
    """Yield source column and name of each feature."""
    for encoding, encoder, columns in transformers:
        if encoding != "remainder":
            names = encoder.get_feature_names_out(np.asarray(columns, dtype=object))
            yield from zip(_list_sources(encoding, encoder, list(columns), len(names)), map(str, names), strict=True)


def _list_sources(encoding: str, encoder: Any, columns: list[str], size: int) -> list[str]:
    """Return the source column of each output of an encoder; see `Features`."""
    if encoding == "low":
        return [name for name, known in zip(columns, encoder[-1].categories_, strict=True) for _ in known]
    if encoding == "number" and size > len(columns):  # the imputer has added its indicators
        return columns + [columns[at] for at in encoder.named_steps["simpleimputer"].indicator_.features_]
    return [name for name in columns for _ in range(size // len(columns))]


def _make_unique(names: Iterable[str]) -> Iterator[str]:
    """Make names safe, and number those that were there before."""
    known: set[str] = set()
    for name in map(make_safe, names):
        unique, number = name, 2
        while unique in known:
            unique, number = f"{name}_{number}", number + 1
        known.add(unique)
        yield unique

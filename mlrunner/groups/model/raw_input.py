"""First step of the served model: turn raw rows, as a client sends them, into cleaned columns.

A served model imports this module, so it may need pandas, NumPy, scikit-learn and pydantic only.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from mlrunner.core.column_dtypes import TEXT_DTYPE, normalize_column
from mlrunner.core.column_kinds import TOLERATED, Kind, infer_kind
from mlrunner.core.date_parsing import describe_format, find_unreadable
from mlrunner.core.errors import DataError

if TYPE_CHECKING:
    from mlrunner.groups.strategy import CleaningStrategy


class CleaningTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Transform raw rows into the cleaned columns that the model was trained on.

    Args:
        strategy: Cleaning strategy.
        kinds: Kind in training of each raw column that the strategy may use, as plain text.
        columns: Names of the cleaned feature columns, in order.
    """

    checks_dates = True  # the model server, whose schema has checked them, sets it to False

    def __init__(self, strategy: CleaningStrategy, kinds: dict[str, str], columns: list[str]) -> None:
        self.strategy = strategy
        self.kinds = kinds
        self.columns = columns

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Return the transformer itself; it learns nothing."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """Names of the raw columns that the strategy may use."""
        return np.asarray(list(self.kinds), dtype=object)

    @property
    def n_features_in_(self) -> int:
        """Number of these columns."""
        return len(self.kinds)

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Clean raw rows.

        Args:
            X: Raw rows; an absent column counts as missing, an unknown one is ignored.

        Raises:
            DataError: When no column is known, a value does not fit the kind of its column, or more than one in a
                hundred is no date in the format of its column.
        """
        if not any(name in X for name in self.kinds):
            raise DataError(f"The rows have none of the model's columns; it needs {', '.join(self.kinds)}.")
        rows = pd.DataFrame({name: self._raw(X, name) for name in self.kinds}, index=X.index)
        if self.checks_dates:
            self._check_dates(rows)
        cleaned = self.strategy.transform_rows(rows)
        return cleaned.reindex(columns=self.columns)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Return the names of the cleaned columns."""
        return np.asarray(self.columns, dtype=object)

    def _check_dates(self, rows: pd.DataFrame) -> None:
        """Warn of values that are no dates in the format of their column; refuse more than in training."""
        for name, date_format in self.strategy.date_columns.items():
            unreadable = find_unreadable(rows[name], date_format) if name in rows else rows.iloc[:0, 0]
            if unreadable.empty:
                continue
            known = int(rows[name].notna().sum())
            clause = (
                f"Column '{name}' holds dates in {describe_format(date_format)}, but {len(unreadable):,} of {known:,} "
                f"values have another format, first {unreadable.iloc[0]!r}"
            )
            if len(unreadable) > TOLERATED * known:
                raise DataError(f"{clause}; correct them.")
            warnings.warn(f"{clause}; they count as missing.", stacklevel=2)

    def _raw(self, X: pd.DataFrame, name: str) -> pd.Series:
        column = X[name] if name in X else pd.Series(None, index=X.index, name=name, dtype=object)
        if name in self.strategy.date_columns and infer_kind(column) is Kind.MOMENT:
            return normalize_column(column)  # a date needs no format, whereas its text would have another one
        return restore_kind(column, Kind(self.kinds[name]))


def restore_kind(column: pd.Series, kind: Kind) -> pd.Series:
    """Convert a column to its kind in training, which JSON with null values does not preserve.

    Raises:
        DataError: When a value does not fit the kind.
    """
    column = normalize_column(column)
    kind = Kind.TEXT if kind is Kind.CATEGORY else kind
    if kind in (infer_kind(column), Kind.UNSUPPORTED):
        return column
    try:
        return _convert(column, kind)
    except (TypeError, ValueError) as error:
        raise DataError(f"Column '{column.name}' holds {kind.plural} in training, but: {error}.") from error


def _convert(column: pd.Series, kind: Kind) -> pd.Series:
    known = column.notna()
    if kind is Kind.TEXT:
        return column.astype(object).where(known).map(str, na_action="ignore").astype(TEXT_DTYPE)
    if kind is Kind.NUMBER:
        return pd.Series(column.astype(object).where(known, np.nan).astype(np.float64))
    if kind is Kind.MOMENT:
        return pd.to_datetime(column.astype(object).where(known, None), format="ISO8601")
    return normalize_column(column.astype("boolean"))

"""Config group `features`, part of each model option: what is learned from the training rows before the estimator.

Which column is of which kind is decided on the training rows; nothing here drops a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from pandas.api import types
from pydantic import Field

from mlrunner.core.build import dataclass
from mlrunner.core.errors import DataError

if TYPE_CHECKING:
    from sklearn.compose import ColumnTransformer

Kind = Literal["number", "low", "high", "text"]
NUMBERS = {"integer", "floating", "mixed-integer-float", "boolean", "decimal", "empty"}
WORDS = 3  # a column whose values have more words at the median is free text
SAMPLE = 1000  # rows that tell how many


@dataclass
class Features:
    """How columns become numbers that an estimator can learn from.

    Args:
        impute: What replaces a missing number; None leaves it missing, for models that take it so.
        indicate_missing: Add a 0/1 column for each numeric column with gaps; only with `impute`.
        scale: How numbers are brought to one scale; None leaves them.
        low_cardinality: Most categories that a text column may have to get one 0/1 column each; 0 for none.
        high_cardinality: What becomes of text columns with more: target means, or numbers in alphabetical order.
        text_features: Hashed word counts for each free-text column; 0 treats free text as categories.
        seed: Of the folds of the target means.
    """

    impute: Literal["median", "mean", "most_frequent"] | None
    indicate_missing: bool
    scale: Literal["standard", "robust"] | None
    low_cardinality: int = Field(ge=0)
    high_cardinality: Literal["target", "ordinal"]
    text_features: int = Field(ge=0)
    seed: int

    def problems(self) -> list[str]:
        """Say which settings contradict each other, a sentence each."""
        if self.indicate_missing and self.impute is None:
            return ["model.features.indicate_missing=true needs model.features.impute; set it to median or mean."]
        return []

    def build(self, table: pd.DataFrame, task: str) -> ColumnTransformer:
        """Choose an encoder for each column.

        Args:
            table: The feature columns of the training rows.
            task: regression or classification.

        Returns:
            An unfitted transformer from such a table to dense float64.

        Raises:
            DataError: When there is no column to learn from.
        """
        from sklearn.compose import ColumnTransformer

        if table.shape[1] == 0:
            raise DataError("Cleaning leaves no column to learn from; keep text columns with cleaning=full.")
        kinds = self.kinds(table)
        chosen = {kind: [name for name, found in kinds.items() if found == kind] for kind in self._encoders(task)}
        parts = [(kind, self._encoders(task)[kind], names) for kind, names in chosen.items() if names]
        return ColumnTransformer(parts, sparse_threshold=0.0, verbose_feature_names_out=False)

    def kinds(self, table: pd.DataFrame) -> dict[str, Kind]:
        """Tell what each column is: numbers, few categories, many categories or free text."""
        return {str(name): self._kind(table[name]) for name in table.columns}

    def _kind(self, column: pd.Series) -> Kind:
        if is_number(column):
            return "number"
        known = column.dropna().astype(str)
        if known.nunique() + column.isna().any() <= self.low_cardinality:
            return "low"
        return "text" if self.text_features > 0 and _words(known) > WORDS else "high"

    def _encoders(self, task: str) -> dict[Kind, Any]:
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

        from mlrunner.groups.features.encoders import TextHasher, ToTexts
        from mlrunner.groups.features.target_encoding import TargetMeans

        flags = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
        many = {
            "target": TargetMeans(classes=task == "classification", seed=self.seed),
            "ordinal": make_pipeline(ToTexts(), ordinal),
        }
        return {
            "number": self._numbers(),
            "low": make_pipeline(ToTexts(), flags),
            "high": many[self.high_cardinality],
            "text": TextHasher(bins=self.text_features),
        }

    def _numbers(self) -> Any:
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import RobustScaler, StandardScaler

        from mlrunner.groups.features.encoders import ToNumbers

        steps: list[Any] = [ToNumbers()]
        if self.impute is not None:  # an entirely missing column becomes zeros rather than disappear
            indicate = self.indicate_missing
            steps.append(SimpleImputer(strategy=self.impute, add_indicator=indicate, keep_empty_features=True))
        if self.scale is not None:
            steps.append({"standard": StandardScaler(), "robust": RobustScaler()}[self.scale])
        return make_pipeline(*steps) if len(steps) > 1 else steps[0]


def is_number(column: pd.Series) -> bool:
    """Tell whether a column holds numbers, dates or durations, rather than texts or categories.

    An `object` column declares nothing, so its values are looked at; one with no value at all is a number.
    """
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return False
    if types.is_object_dtype(dtype):
        return types.infer_dtype(column, skipna=True) in NUMBERS
    moment = types.is_datetime64_any_dtype(dtype) or types.is_timedelta64_dtype(dtype)
    return bool(moment or types.is_numeric_dtype(dtype))


def _words(known: pd.Series) -> float:
    """Count the words of a typical value."""
    return float(np.median([len(text.split()) for text in known.iloc[:SAMPLE]]))

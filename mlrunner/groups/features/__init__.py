"""Config group `features`, part of each model option: encoders that are fitted on the training rows.

The kind of each column is decided on the training rows; no encoder drops a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from mlrunner.core.build import dataclass
from mlrunner.core.column_kinds import Kind, infer_kinds
from mlrunner.core.errors import DataError

if TYPE_CHECKING:
    from mlrunner.groups.features.named_columns import NamedColumnTransformer

Encoding = Literal["number", "low", "high", "text"]
MAX_CATEGORY_WORDS = 3  # a column with a greater median number of words is free text
SAMPLE_ROWS = 1000  # rows that the median is taken of


@dataclass
class Features:
    """Settings of the encoders that turn columns into numbers.

    Args:
        impute: Statistic that replaces a missing number; None leaves it missing, for models that accept NaN.
        indicate_missing: Whether to add a 0/1 column for each numeric column with missing values; needs `impute`.
        scale: Scaler of the numbers; None leaves them unscaled.
        low_cardinality: Largest number of categories that are one-hot encoded; 0: none are.
        high_cardinality: Encoding of text columns with more categories: target means, or alphabetical order.
        text_features: Number of hashed word counts for each free-text column; 0 treats free text as categories.
        seed: Random seed of the folds of the target means.
    """

    impute: Literal["median", "mean", "most_frequent"] | None
    indicate_missing: bool
    scale: Literal["standard", "robust"] | None
    low_cardinality: int = Field(ge=0)
    high_cardinality: Literal["target", "ordinal"]
    text_features: int = Field(ge=0)
    seed: int

    def problems(self) -> list[str]:
        """Return one sentence for each contradiction between the settings."""
        if self.indicate_missing and self.impute is None:
            return ["model.features.indicate_missing=true needs model.features.impute; set it to median or mean."]
        return []

    def build(self, table: pd.DataFrame, task: str) -> NamedColumnTransformer:
        """Build the encoders for the columns of a table.

        Args:
            table: Feature columns of the training rows.
            task: "regression" or "classification".

        Returns:
            An unfitted transformer from such a table to a table of float64 features with their names.

        Raises:
            DataError: When the table has no column.
        """
        from mlrunner.groups.features.named_columns import NamedColumnTransformer

        if table.shape[1] == 0:
            raise DataError("Cleaning leaves no column to learn from; keep text columns with cleaning=full.")
        kinds, encoders = self.kinds(table), self._encoders(task)
        columns = {kind: [name for name in kinds if kinds[name] == kind] for kind in encoders}
        transformers = [(kind, encoders[kind], names) for kind, names in columns.items() if names]
        return NamedColumnTransformer(transformers, sparse_threshold=0.0, verbose_feature_names_out=False)

    def list_numbers(self, table: pd.DataFrame) -> list[str]:
        """List the columns whose numbers reach the estimator under their own names."""
        return [name for name, encoding in self.kinds(table).items() if encoding == "number"]

    def kinds(self, table: pd.DataFrame) -> dict[str, Encoding]:
        """Return the encoding of each column: numbers, few categories, many categories or free text."""
        return {name: self._encoding(table[name], kind) for name, kind in infer_kinds(table).items()}

    def _encoding(self, column: pd.Series, kind: Kind) -> Encoding:
        if kind.is_numeric or kind is Kind.MOMENT:
            return "number"
        known = column.dropna().astype(str)
        if known.nunique() + column.isna().any() <= self.low_cardinality:
            return "low"
        return "text" if self.text_features > 0 and _median_words(known) > MAX_CATEGORY_WORDS else "high"

    def _encoders(self, task: str) -> dict[Encoding, Any]:
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

        from mlrunner.groups.features.encoders import TextConverter, TextHasher
        from mlrunner.groups.features.target_encoding import TargetMeanEncoder

        one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
        high_cardinality = {
            "target": TargetMeanEncoder(classes=task == "classification", seed=self.seed),
            "ordinal": make_pipeline(TextConverter(), ordinal),
        }
        return {
            "number": self._numbers(),
            "low": make_pipeline(TextConverter(), one_hot),
            "high": high_cardinality[self.high_cardinality],
            "text": TextHasher(bins=self.text_features),
        }

    def _numbers(self) -> Any:
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import RobustScaler, StandardScaler

        from mlrunner.groups.features.encoders import FloatConverter

        steps: list[Any] = [FloatConverter()]
        if self.impute is not None:  # an entirely missing column becomes zeros and is not dropped
            indicate = self.indicate_missing
            steps.append(SimpleImputer(strategy=self.impute, add_indicator=indicate, keep_empty_features=True))
        if self.scale is not None:
            steps.append({"standard": StandardScaler(), "robust": RobustScaler()}[self.scale])
        return make_pipeline(*steps) if len(steps) > 1 else steps[0]


def _median_words(known: pd.Series) -> float:
    """Return the median number of words of the first values."""
    return float(np.median([len(text.split()) for text in known.iloc[:SAMPLE_ROWS]]))

"""Cleaned rows of each part of the split."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from mlrunner.core.column_roles import Roles
from mlrunner.core.folds import select_final_rows
from mlrunner.core.score_settings import DEFAULT_SCORING, ScoreSettings


@dataclass(frozen=True)
class SplitData:
    """Hold the cleaned rows of each part of the split.

    Args:
        train: Rows to fit on.
        validation: Rows that the objective is computed on; empty when there are folds.
        test: Rows of the final estimate.
        folds: Table of folds with the index of `train`, see `core.folds`; empty without cross-validation.
        roles: Column roles.
        plot_label: Name of the validation rows in plots; None for `validation` or `cv`.
        scoring: What the scores are computed by.
    """

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    folds: pd.DataFrame
    roles: Roles
    plot_label: str | None = None
    scoring: ScoreSettings = DEFAULT_SCORING

    def of(self, part: str) -> tuple[pd.DataFrame, pd.Series[Any]]:
        """Return the features and the target of a part."""
        table: pd.DataFrame = getattr(self, part)
        return select_features(table, self.roles), table[self.roles.target]

    @property
    def final_train(self) -> pd.DataFrame:
        """Training rows of the model that is scored on the test rows: all, or those of the newest window."""
        return select_final_rows(self.train, self.folds)

    def sample(self, rows: int) -> SplitData:
        """Keep at most `rows` evenly spaced rows of train and of validation, for plots."""
        samples = {
            part: getattr(self, part).iloc[:: max(1, len(getattr(self, part)) // rows)].head(rows)
            for part in ("train", "validation")
        }
        return replace(self, **samples, test=self.test.head(0), folds=self.folds.head(1))

    @property
    def objective_part(self) -> str:
        """Part that the objective is computed on: `validation`, or `cv` where there are folds."""
        return "cv" if len(self.folds) else "validation"


def select_features(table: pd.DataFrame, roles: Roles) -> pd.DataFrame:
    """Select the feature columns of a cleaned table."""
    others = [name for name in (roles.target, roles.group, roles.time, roles.weight) if name in table]
    return table.drop(columns=others)


def concatenate_training_rows(train: pd.DataFrame, validation: pd.DataFrame) -> pd.DataFrame:
    """Concatenate the training and the validation rows; the latter are empty where there are folds."""
    return pd.concat([train, validation]) if len(validation) else train

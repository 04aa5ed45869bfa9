"""Fitted models with their cleaning before them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline

from mlrunner.core.column_roles import Roles
from mlrunner.groups.model.packaging import assemble
from tests.support.models import build_option


class ColumnVector(DummyClassifier):  # type: ignore[misc]
    """Classifier that predicts a column, as CatBoost does."""

    def predict(self, X: Any) -> Any:
        return super().predict(X).reshape(-1, 1).astype(float)


def raw_rows(rows: int = 60) -> pd.DataFrame:
    """Build rows of orders with a score."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": [f"id{at}" for at in range(rows)],
            "order": [f"o{at // 2}" for at in range(rows)],
            "price": rng.normal(size=rows),
            "items": rng.integers(1, 9, rows),
            "gift": rng.random(rows) < 0.5,
            "state": rng.choice(["SP", "RJ"], rows),
            "bought": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(rows), unit="h"),
            "score": rng.normal(size=rows),
        }
    )


ROLES = Roles(target="score", ignore=("id",), group="order", time="bought")


def fit_pipeline(strategy: Any, *features: str) -> Pipeline:
    """Fit a ridge regression and prepend a cleaning."""
    raw = raw_rows()
    fitted = (
        build_option("ridge", "regression").build(raw[[*features]], "regression").fit(raw[[*features]], raw["score"])
    )
    return assemble(fitted, strategy, ROLES, raw[[*features]], raw)

"""The check of scikit-learn's parameters, compared with what `fit` does."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.svm import SVR
from xgboost import XGBRegressor

from mlrunner.groups.model.sklearn_private import explain_invalid_parameters

ESTIMATORS = [
    Ridge(),
    Ridge(alpha=-1.0),
    SVR(kernel="cubic"),
    RandomForestRegressor(n_estimators=0),
    RandomForestRegressor(n_estimators=1),
    LogisticRegression(C="high"),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_same_verdict_as_fit(estimator: Any) -> None:
    explanation = explain_invalid_parameters(estimator)
    if explanation is None:
        estimator.fit([[0.0], [1.0]], [0, 1])
    else:
        with pytest.raises(ValueError, match="must be") as caught:
            estimator.fit([[0.0], [1.0]], [0, 1])
        assert str(caught.value).rstrip(".") == explanation


@pytest.mark.parametrize("estimator", [XGBRegressor(n_estimators=-1), object()], ids=["other library", "no check"])
def test_other_estimators_are_not_checked(estimator: Any) -> None:
    assert explain_invalid_parameters(estimator) is None

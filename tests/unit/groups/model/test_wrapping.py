"""Settings around the estimator that exclude each other."""

from __future__ import annotations

from typing import Any

import pytest

from mlrunner.core.build import build
from mlrunner.core.errors import ProblemsError
from mlrunner.groups.model.threshold import ThresholdClassifier
from tests.support.trials import model_settings

FOREST = "sklearn.ensemble.RandomForest"


@pytest.mark.parametrize(
    ("target", "task", "settings", "start"),
    [
        (f"{FOREST}Classifier", "classification", {"threshold": 0.3, "class_weight": "balanced"}, None),
        (f"{FOREST}Regressor", "regression", {"target_transform": "log1p"}, None),
        (f"{FOREST}Regressor", "regression", {"threshold": 0.3}, "model.threshold=0.3: a regression has no classes;"),
        (f"{FOREST}Regressor", "regression", {"class_weight": "balanced"}, "model.class_weight=balanced: a regression"),
        (f"{FOREST}Classifier", "classification", {"target_transform": "sqrt"}, "model.target_transform=sqrt is for a"),
        ("sklearn.linear_model.RidgeClassifier", "classification", {"threshold": 0.3}, "model.threshold: RidgeClass"),
        (f"{FOREST}Regressor", "regression", {"threshold": "tuned"}, "model.threshold=tuned: a regression has no cl"),
        (f"{FOREST}Classifier", "classification", {"threshold": "tuned", "threshold_metric": "f1"}, None),
        (f"{FOREST}Classifier", "classification", {"threshold_metric": "f1"}, "model.threshold_metric needs model.thr"),
        ("xgboost.XGBClassifier", "classification", {"threshold": "tuned", "early_stopping": 5}, None),
    ],
)
def test_settings_fit_the_task_and_the_estimator(
    target: str, task: Any, settings: dict[str, Any], start: str | None
) -> None:
    problems = build({**model_settings(target), **settings}, "model").problems(task)
    assert [problem[: len(start or "")] for problem in problems] == ([] if start is None else [start])


def test_a_threshold_wraps_the_classifier() -> None:
    for threshold, expected in ((0.3, 0.3), ("tuned", None)):
        model = build({**model_settings(f"{FOREST}Classifier"), "threshold": threshold, "positive": "y"}, "model")
        estimator = model.build_estimator("classification")
        assert isinstance(estimator, ThresholdClassifier)
        assert (estimator.threshold, estimator.positive) == (expected, "y")


@pytest.mark.parametrize(
    ("threshold", "message"),
    [("tund", "=tund should be 'tuned' or a number."), (1.5, "=1.5 should be 'tuned' or less than or equal to 1.")],
)
def test_a_threshold_is_a_probability_or_tuned(threshold: Any, message: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        build({**model_settings(f"{FOREST}Classifier"), "threshold": threshold}, "model")
    assert caught.value.problems == [f"model.threshold{message}"]

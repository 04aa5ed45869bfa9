"""Metrics of one's own: what the function receives, and what is refused before a run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mlrunner.core.errors import DataError
from mlrunner.core.score_settings import CustomMetric, ScoreSettings
from mlrunner.evaluation.custom_metrics import measure_custom, problems
from mlrunner.evaluation.metrics import direction, measure
from mlrunner.evaluation.predictions import Predictions
from tests.support.predictions import labelled


def cost(y_true: Any, y_pred: Any, miss: float = 10, sample_weight: Any = None) -> float:
    """Add up what misses and false alarms cost."""
    rows = np.where(y_true == 1, miss * (1 - y_pred), y_pred)
    return float(rows.sum() if sample_weight is None else (rows * sample_weight).sum())


def fails(y_true: Any, y_pred: Any) -> float:
    """Fail."""
    raise ValueError(f"no more than {len(y_true)} of {len(y_pred)}")


def metric(function: str = "cost", task: Any = "classification", **changes: Any) -> dict[str, CustomMetric]:
    target = function if "." in function else f"{__name__}.{function}"
    return {"own": CustomMetric(target=target, direction="minimize", task=task, **changes)}


TWO = labelled([*"aabb"], [*"abba"], [[0.75, 0.25], [0.5, 0.5], [0.25, 0.75], [1.0, 0.0]])


@pytest.mark.parametrize(
    ("changes", "positive", "weight", "expected"),
    [
        ({}, None, None, 1 + 10),  # one false alarm, one miss
        ({"arguments": {"miss": 3}}, None, None, 1 + 3),
        ({}, "a", None, 10 + 1),  # the same errors seen from the other class
        ({}, None, np.array([1, 2, 3, 4]), 2 * 1 + 4 * 10),
        ({"needs_proba": True}, None, None, 0.25 + 0.5 + 10 * 0.25 + 10 * 1.0),
    ],
    ids=["labels", "argument", "positive", "weights", "probabilities"],
)
def test_of_two_classes_the_function_receives_one_for_the_positive_class(
    changes: dict[str, Any], positive: str | None, weight: Any, expected: float
) -> None:
    scoring = ScoreSettings(positive=positive, custom=metric(**changes))
    scores = measure(replace(TWO, scoring=scoring, weight=weight), "classification")
    assert scores["own"] == pytest.approx(expected)


def test_pinball_is_the_quantile_loss() -> None:
    pinball = metric("sklearn.metrics.mean_pinball_loss", "regression", arguments={"alpha": 0.9})
    predictions = Predictions(np.array([1.0, 5.0]), np.array([3.0, 1.0]), scoring=ScoreSettings(custom=pinball))
    # 2 too high costs 0.1 each, 4 too low costs 0.9 each
    assert measure(predictions, "regression")["own"] == pytest.approx((2 * 0.1 + 4 * 0.9) / 2)


def test_metrics_that_cannot_be_computed_are_absent() -> None:
    without = replace(labelled([*"ab"], [*"ab"]), scoring=ScoreSettings(custom=metric(needs_proba=True)))
    assert measure_custom(without, "classification") == {}
    assert measure_custom(replace(TWO, scoring=ScoreSettings(custom=metric(task="regression"))), "classification") == {}


def test_a_failing_function_is_a_sentence() -> None:
    with pytest.raises(
        DataError, match=r"^metric\.own: .*\.fails failed \(ValueError: no more than 4 of 4\); correct it"
    ):
        measure_custom(replace(TWO, scoring=ScoreSettings(custom=metric("fails"))), "classification")


@pytest.mark.parametrize(
    ("custom", "start"),
    [
        ({"f1": metric()["own"]}, "metric.f1 has the name of a metric that is always computed;"),
        (metric(task="regression"), "metric.own is for regression, but dataset.task is classification;"),
        (metric("sklearn.metrics.f1_scor"), "metric.own._target_: sklearn.metrics has no 'f1_scor';"),
        (metric("sklearn.__version__"), "metric.own._target_=sklearn.__version__ is not a function;"),
        (metric(arguments={"mis": 1}), "metric.own.arguments do not fit"),
    ],
    ids=["name", "task", "path", "no function", "argument"],
)
def test_a_wrong_metric_is_refused(custom: dict[str, CustomMetric], start: str) -> None:
    (problem,) = problems(custom, "classification")
    assert problem.startswith(start)
    assert list(problems(metric(), "classification")) == []


def test_a_metric_has_its_own_direction() -> None:
    assert direction("validation/own", custom=metric()) == "minimize"

"""The rules for metrics and for the positive class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlrunner.composition.findings import Data, Findings
from mlrunner.composition.metric_rules import METRIC_RULES
from mlrunner.core.build import build
from mlrunner.core.score_settings import CustomMetric
from mlrunner.groups.gate.thresholds import Threshold
from tests.support.trials import model_settings

GROUP = {"_target_": "mlrunner.groups.dataset.TableDataset", "name": "csv", "path": "a.csv", "target": "y"}
COST = {
    "cost": CustomMetric(target="sklearn.metrics.hamming_loss", direction="minimize", task="classification"),
}


def check(labels: list[Any], metric: Any, positive: Any = None, task: Any = "classification", **more: Any) -> list[str]:
    dataset = build({**GROUP, "positive": positive}, "dataset")
    gate = Threshold(metric=more.pop("gate"), threshold=0.5) if "gate" in more else None
    data = Data(dataset, pd.DataFrame({"y": labels}), "digest", task)
    model = more.pop("model", None)
    findings = Findings(data, task, {"gate": gate, "model": model}, metric, Path(), **more)
    return [sentence for rule in METRIC_RULES for sentence in rule(findings)]


THREE = "but the target has 3 classes"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((["n", "y"], "f1", "n"), []),
        (([0, 1], "f1", "1"), []),
        (([*"abc"], "f1_macro"), []),
        ((["n", "y"], "f1", "x"), ["dataset.positive=x is not a label of the target; its labels are n, y."]),
        (([*"abc"], "mcc", "a"), [f"dataset.positive=a is one of two classes, {THREE}; leave it null."]),
        (
            ([*"abc"], ["f1", "fit_seconds"]),
            [f"objective.metric=f1 is of the positive class of two, {THREE}; choose f1_macro."],
        ),
        (
            ([1.5, 2], "r2", 1, "regression"),
            ["dataset.positive=1: a regression has no classes; leave it null, or set dataset.task=classification."],
        ),
    ],
)
def test_positive_class(arguments: tuple[Any, ...], expected: list[str]) -> None:
    assert check(*arguments) == expected


TUNABLE = "accuracy, balanced_accuracy, f1, precision, recall, f1_macro, precision_macro, recall_macro, mcc"


@pytest.mark.parametrize(
    ("labels", "settings", "expected"),
    [
        ("ny", {"threshold": "tuned"}, []),
        ("ny", {"threshold": "tuned", "threshold_metric": "cost"}, []),
        ("nyx", {"threshold": "tuned"}, [f"model.threshold is for two classes, {THREE}; leave it null."]),
        (
            "ny",
            {"threshold": "tuned", "threshold_metric": "roc_auc"},
            [f"model.threshold_metric=roc_auc does not depend on the threshold; choose {TUNABLE}, cost."],
        ),
        (
            "ny",
            {"threshold": "tuned", "threshold_metric": "recal"},
            [
                f"model.threshold_metric=recal does not depend on the threshold; choose {TUNABLE}, cost. Did you mean "
                "'recall'?"
            ],
        ),
    ],
)
def test_a_threshold_needs_two_classes_and_a_metric_of_labels(
    labels: str, settings: dict[str, Any], expected: list[str]
) -> None:
    model = build({**model_settings("sklearn.tree.DecisionTreeClassifier"), **settings}, "model")
    assert check([*labels], "accuracy", model=model, custom=COST) == expected


def test_a_gate_for_the_positive_class_needs_two_classes() -> None:
    expected = "gate.metric=recall is of the positive class of two, but the target has 3 classes; choose recall_macro."
    assert check([*"abc"], "accuracy", gate="recall") == [expected]


def test_a_metric_of_ones_own_may_be_the_objective() -> None:
    assert check([*"ab"], "cost", custom=COST) == []
    (problem,) = check([*"ab"], "costs", custom=COST)
    assert problem.endswith("brier, cost. Did you mean 'cost'?")

"""A threshold on the probability of the positive class."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier

from mlrunner.groups.model.threshold import ThresholdClassifier

ROWS = pd.DataFrame({"x": [0, 0, 0, 0, 1, 1, 1, 1]})
LABELS = [*"nnnynyyy"]  # the probability of y is 1/4 at x = 0 and 3/4 at x = 1


@pytest.mark.parametrize(
    ("threshold", "positive", "expected"),
    [
        (0.5, None, ["n", "y"]),
        (0.25, None, ["y", "y"]),  # reaching the threshold is enough
        (0.26, "y", ["n", "y"]),
        (0.8, "y", ["n", "n"]),
        (0.2, "n", ["n", "n"]),
        (0.8, "n", ["y", "y"]),
        (None, "n", ["n", "y"]),  # the most probable class
    ],
)
def test_the_positive_class_is_predicted_from_the_threshold_on(
    threshold: float | None, positive: Any, expected: list[str]
) -> None:
    fitted = ThresholdClassifier(DecisionTreeClassifier(), threshold, positive).fit(ROWS, LABELS)
    rows = pd.DataFrame({"x": [0, 1]})
    assert fitted.predict(rows).tolist() == expected
    assert fitted.predict_proba(rows).tolist() == [[0.75, 0.25], [0.25, 0.75]]
    assert fitted.classes_.tolist() == ["n", "y"]


def test_one_class_needs_no_threshold() -> None:
    fitted = ThresholdClassifier(DecisionTreeClassifier(), 0.9).fit(ROWS, [*"nnnnnnnn"])
    assert fitted.predict(ROWS.head(1)).tolist() == ["n"]

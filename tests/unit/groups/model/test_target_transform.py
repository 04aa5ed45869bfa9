"""Transforms of the target of a regression."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.dummy import DummyRegressor

from mlrunner.groups.model.target_transform import target_problems, transform_target

ROWS = pd.DataFrame({"x": np.zeros(200)})


@pytest.mark.parametrize(
    ("transform", "target", "expected"),
    [
        ("log1p", [0.0, 3.0], 1.0),  # the mean of log 1 and log 4 is log 2
        ("sqrt", [0.0, 16.0], 4.0),
        ("quantile", [1.0, 2.0, 10.0], 2.0),  # the median has the mean of the normal distribution
    ],
)
def test_predictions_are_in_the_original_unit_and_survive_skops(
    transform: Any, target: list[float], expected: float
) -> None:
    rows, values = ROWS.head(120), np.repeat(target, 120 // len(target))
    fitted = transform_target(DummyRegressor(), transform).fit(rows, values)
    loaded = skops.io.loads(skops.io.dumps(fitted), trusted=[])
    assert fitted.predict(rows.head(1)) == loaded.predict(rows.head(1)) == pytest.approx([expected], rel=1e-6)


@pytest.mark.parametrize(
    ("transform", "values", "problem"),
    [
        ("log1p", [0.0, -0.5], None),
        ("log1p", [3.0, -1.0], "needs values above -1, but 'y' has -1;"),
        ("sqrt", [0.0, 1.0], None),
        ("sqrt", [-2.0, 1.0], "needs values from 0, but 'y' has -2;"),
        ("power", [-2.0, 1.0], None),
    ],
)
def test_targets_that_a_transform_does_not_take_are_refused(
    transform: Any, values: list[float], problem: str | None
) -> None:
    problems = target_problems(transform, pd.Series(values, name="y"))
    assert [text.partition(" choose")[0] for text in problems] == (
        [] if problem is None else [f"model.target_transform={transform} {problem}"]
    )

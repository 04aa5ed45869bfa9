"""The direction of a metric, and its spread."""

from __future__ import annotations

import pytest

from mlrunner.core.metric_names import DATA_PARTS, greater_is_better, metric_spread


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("r2", True),
        ("test/rmse", False),
        ("cv/log_loss", False),
        ("fit_seconds", False),
        ("latency_ms", False),
        ("test/r2_std", False),
        ("profit", True),
        ("test/profit", True),
    ],
)
def test_the_direction_of_a_metric(name: str, expected: bool) -> None:
    assert greater_is_better(name) is expected


def test_the_spread_is_that_of_the_folds_or_of_the_repeats() -> None:
    assert metric_spread({"cv/r2_std": 0.1, "validation/r2_std": 0.2}, "r2") == 0.1
    assert metric_spread({"validation/r2_std": 0.2}, "r2") == 0.2
    assert metric_spread({"test/r2": 0.5}, "r2") is None
    assert "test" in DATA_PARTS

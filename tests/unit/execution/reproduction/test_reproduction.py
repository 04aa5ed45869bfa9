"""The verdict of a reproduction."""

from __future__ import annotations

import pytest

from mlrunner.execution.reproduction import Reproduction
from mlrunner.execution.reproduction.scores import MetricComparison


@pytest.mark.parametrize(
    ("same", "is_reproduced"), [([], False), ([True], True), ([True, False], False), ([True, True], True)]
)
def test_a_run_is_reproduced_when_all_its_metrics_are(same: list[bool], is_reproduced: bool) -> None:
    metrics = tuple(MetricComparison(f"test/{number}", 1.0, 1.0, value) for number, value in enumerate(same))
    assert Reproduction("a", "n", (), "b", metrics).is_reproduced is is_reproduced

"""Limits of latency and size."""

from __future__ import annotations

import pytest

from mlrunner.groups.gate import Gate, GateInputs
from mlrunner.groups.gate.cost_limits import Latency, Size


@pytest.mark.parametrize("gate", [Latency(), Size()], ids=str)
def test_a_cost_without_a_limit_is_refused(gate: Gate) -> None:
    unit = {"max_p95_ms": "milliseconds", "max_megabytes": "megabytes"}[str(gate.missing_setting)]
    assert gate.problems("regression", "gate.gates.cost") == [
        f"gate.gates.cost.{gate.missing_setting} is not set; give it {unit}."
    ]
    assert gate.decide(GateInputs({}), None) == (False, f"gate.{gate.missing_setting} is not set; give it {unit}")

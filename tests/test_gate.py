"""Every option of conf/gate builds a gate; what each says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import DictConfig

from mlrunner.build import build
from mlrunner.composition.values import plain
from mlrunner.gate import Decision, Gate, NoGate

OPTIONS = sorted(path.stem for path in (Path(__file__).parents[1] / "conf" / "gate").glob("*.yaml"))
NAN = float("nan")


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("metrics", [{}, {"r2": NAN}, {"accuracy": 1.0}], ids=["none", "nan", "best"])
def test_every_option_decides_with_a_reason_and_leaves_the_metrics_alone(
    option: str, metrics: dict[str, float], compose: Callable[[list[str]], DictConfig]
) -> None:
    gate = build(plain(compose([f"gate={option}"]), "gate"), "gate", Gate)
    given = dict(metrics)
    decision = gate.decide(given)
    assert isinstance(decision, Decision)
    assert decision.reason != ""
    assert given.keys() == metrics.keys()


@pytest.mark.parametrize("metrics", [{}, {"r2": NAN}, {"accuracy": 1.0}], ids=["none", "nan", "best"])
def test_no_gate_never_opens(metrics: dict[str, float]) -> None:
    assert NoGate().decide(metrics) == (False, "gate=none: no deployment was asked for")


def test_a_decision_goes_into_the_step_by_name() -> None:
    assert Decision(deploy=True, reason="good")._asdict() == {"deploy": True, "reason": "good"}


def test_gates_are_equal_by_value() -> None:
    assert NoGate() == NoGate()

"""Gates of several conditions."""

from __future__ import annotations

import pytest

from mlrunner.groups.gate import Decision, GateInputs
from mlrunner.groups.gate.all_of import AllOf
from mlrunner.groups.gate.thresholds import Threshold
from tests.support.gates import OTHER_GATE_HINT, Compose, compose_gate, make_champion, make_inputs

THRESHOLD = "mlrunner.groups.gate.thresholds.Threshold"


def test_a_condition_is_added_from_the_command_line_by_name(compose: Compose) -> None:
    more = f"+gate.gates.mae={{_target_: {THRESHOLD}, metric: mae, threshold: 0.5}}"
    gate = compose_gate(compose, "gate=all_of", more)
    assert gate.conditions == {"mae": Threshold(metric="mae", threshold=0.5)}
    assert gate.decide(GateInputs({"test/mae": 0.5}), None) == (True, "mae: test/mae 0.5 is at most 0.5")


NAN = float("nan")


ALL = AllOf(
    gates={
        "quality": {"_target_": "mlrunner.groups.gate.thresholds.Threshold", "metric": "r2", "threshold": 0.3},
        "unset": {"_target_": "mlrunner.groups.gate.thresholds.Threshold", "metric": "rmse", "threshold": None},
        "absent": None,
        "champion": {"_target_": "mlrunner.groups.gate.champion.Champion", "metric": "r2", "min_improvement": 0.01},
        "latency": {"_target_": "mlrunner.groups.gate.cost_limits.Latency", "max_p95_ms": 50},
        "size": {"_target_": "mlrunner.groups.gate.cost_limits.Size", "max_megabytes": 100},
    }
)


def measured(r2: float, p95: float, megabytes: float) -> GateInputs:
    return GateInputs({"test/r2": r2, "serve/p95_ms": p95, "model/megabytes": megabytes}, "rows")


BEATS = "champion: test/r2 0.4 beats olist/2's 0.35 by 0.05 (at least 0.01 required)"


HELD = f"{BEATS}; latency: serve/p95_ms 20 is at most 50; size: model/megabytes 10 is at most 100"
FIRST = HELD.replace(BEATS, "champion: test/r2 0.4 has no champion to beat: nothing is deployed yet")
GONE = f"champion: the champion olist/3 cannot be scored (deleted): {OTHER_GATE_HINT}"
EACH = (
    "quality: test/r2 0.2 is below 0.3; champion: test/r2 0.2 is 0.05 worse than olist/2's 0.25, but must "
    "improve by at least 0.01; latency: serve/p95_ms is NaN; size: model/megabytes 200 is above 100"
)
TWO = "quality: test/r2 0.2 is below 0.3; size: model/megabytes 200 is above 100"
NO_COSTS = "latency: serve/p95_ms is missing; size: model/megabytes is missing"


@pytest.mark.parametrize(
    ("candidate", "champion", "deploy", "reason"),
    [
        (measured(0.4, 20, 10), make_champion(r2=0.35), True, f"quality: test/r2 0.4 is at least 0.3; {HELD}"),
        (measured(0.4, 20, 10), None, True, f"quality: test/r2 0.4 is at least 0.3; {FIRST}"),
        (measured(0.4, 60, 10), make_champion(r2=0.35), False, "latency: serve/p95_ms 60 is above 50"),
        (measured(0.2, 20, 200), make_champion(r2=0.1), False, TWO),
        (measured(0.4, 20, 10), make_inputs("olist/3", problem="deleted"), False, GONE),
        (measured(0.2, NAN, 200), make_champion(r2=0.25), False, EACH),
        (make_inputs(r2=0.4), None, False, NO_COSTS),
    ],
    ids=["all hold", "first model", "one fails", "two fail", "champion gone", "all fail", "costs not measured"],
)
def test_all_of_names_each_condition_that_failed(
    candidate: GateInputs, champion: GateInputs | None, deploy: bool, reason: str
) -> None:
    assert ALL.decide(candidate, champion) == Decision(deploy, reason)


def test_all_of_leaves_out_inactive_conditions() -> None:
    assert list(ALL.conditions) == ["quality", "champion", "latency", "size"]


def test_all_of_nothing_never_opens() -> None:
    assert AllOf(gates={}).decide(make_inputs(r2=1), None) == (False, "gate.gates sets no condition; choose gate=none")


def test_all_of_can_be_nested() -> None:
    target = "mlrunner.groups.gate.all_of.AllOf"
    outer = AllOf(gates={"inner": {"_target_": target, "gates": ALL.gates}, "empty": {"_target_": target, "gates": {}}})
    assert outer.metrics == {
        "gate.gates.inner.gates.quality.metric": "test/r2",
        "gate.gates.inner.gates.champion.metric": "test/r2",
    }
    assert outer.problems("classification")[0].startswith("gate.gates.inner.gates.quality.metric=r2 is not a metric of")
    assert (outer.needs_champion, outer.needs_costs) == (True, True)
    assert outer.decide(measured(0.4, 60, 10), None) == (False, "inner: latency: serve/p95_ms 60 is above 50")

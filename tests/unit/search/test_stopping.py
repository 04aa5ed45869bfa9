"""When a search stops before its last trial, and when it has failed."""

from __future__ import annotations

from typing import Any

import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from mlrunner.search.objective import Objectives
from mlrunner.search.stopping import StoppingRule
from mlrunner.search.trial import TrialResult
from mlrunner.search.trial_attributes import VOID
from tests.support.sweeps import build_settings

MAXIMIZE, MINIMIZE = Objectives(("r2",), ("maximize",)), Objectives(("rmse",), ("minimize",))
BOTH = Objectives(("r2", "fit_seconds"), ("maximize", "minimize"))


def build_rule(objectives: Objectives = MAXIMIZE, limit: int = 10, **values: Any) -> StoppingRule:
    return StoppingRule(build_settings(**values), objectives, limit)


def build_trials(*values: float | str | None) -> list[FrozenTrial]:
    """Build trials: complete with a value, pruned with None, failed with FAIL and discarded with VOID."""
    trials = []
    for number, value in enumerate(values):
        is_complete = isinstance(value, float)
        trial = create_trial(
            state=TrialState.COMPLETE if is_complete else TrialState.PRUNED if value is None else TrialState.FAIL,
            value=value if is_complete else None,  # type: ignore[arg-type]
            params={"x": 0.5},
            distributions={"x": FloatDistribution(0, 1)},
            user_attrs={VOID: "retried"} if value == "VOID" else {},
        )
        trial.number = number
        trials.append(trial)
    return trials


def find_reason(rule: StoppingRule, *values: float | str | None, state: Any = "COMPLETE") -> str | None:
    return rule.find_stop_reason(TrialResult(len(values) - 1, state), build_trials(*values))


def test_a_search_continues_by_default() -> None:
    assert find_reason(build_rule(), 0.1, "FAIL", None, 0.1, 0.05) is None


@pytest.mark.parametrize(
    ("objectives", "values", "target", "is_reached"),
    [
        (MAXIMIZE, [0.1, 0.8], 0.8, True),
        (MAXIMIZE, [0.1, 0.79], 0.8, False),
        (MINIMIZE, [3.0, 2.0], 2.5, True),
        (MINIMIZE, [3.0, 2.6], 2.5, False),
        (MAXIMIZE, ["FAIL", None], 0.8, False),
    ],
)
def test_a_target_stops_the_search(
    objectives: Objectives, values: list[float | str | None], target: float, is_reached: bool
) -> None:
    expected = f"target {target:g} reached" if is_reached else None
    assert find_reason(build_rule(objectives, target=target), *values) == expected


@pytest.mark.parametrize(
    ("values", "since"),
    [
        ([0.5, 0.4, 0.3], 2),
        ([0.5, 0.5, 0.5], 2),
        ([0.5, "FAIL", None], 2),
        ([0.1, 0.5, 0.4], None),
        ([0.5, "VOID", 0.4], None),
        (["FAIL", None], None),
    ],
    ids=["worse", "equal", "without-value", "one-since-the-best", "discarded", "no-value-at-all"],
)
def test_patience_stops_the_search(values: list[float | str | None], since: int | None) -> None:
    expected = None if since is None else f"no better trial in the last {since} (patience=2)"
    assert find_reason(build_rule(patience=2, max_failure_rate=1), *values) == expected


def test_patience_and_target_need_a_single_objective() -> None:
    assert find_reason(build_rule(BOTH, patience=1, target=0.1), "FAIL", None, None) is None


@pytest.mark.parametrize(("failures", "is_stopped"), [(5, False), (6, True)])
def test_failures_stop_the_search_beyond_the_rate_of_its_limit(failures: int, is_stopped: bool) -> None:
    expected = "6 trials failed, more than max_failure_rate=0.5 allows" if is_stopped else None
    assert find_reason(build_rule(limit=10), *["FAIL"] * failures, "VOID", "VOID") == expected


def test_fail_fast_stops_at_the_first_failure() -> None:
    assert find_reason(build_rule(fail_fast=True), 0.5, "FAIL", state="FAIL") == "a trial failed, and fail_fast is set"
    assert find_reason(build_rule(fail_fast=True), 0.5, None, state="PRUNED") is None


@pytest.mark.parametrize(
    ("values", "settings", "expected"),
    [
        ([0.5, "FAIL"], {}, False),
        ([0.5, "FAIL", "FAIL"], {}, True),
        ([0.5, "FAIL"], {"fail_fast": True}, True),
        (["FAIL", "FAIL"], {"max_failure_rate": 1}, False),
        (["VOID"], {"max_failure_rate": 0}, False),
    ],
)
def test_a_search_has_failed(values: list[float | str | None], settings: dict[str, Any], expected: bool) -> None:
    """The rate is that of the trials that ran, so that an early stop does not hide it."""
    assert build_rule(**settings).has_failed(build_trials(*values)) is expected

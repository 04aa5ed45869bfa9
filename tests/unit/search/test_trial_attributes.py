"""What the attributes of trials say about a list of trials."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import FrozenTrial, TrialState, create_trial

from mlrunner.search.trial_attributes import (
    CANDIDATE,
    DISCARDED_BY,
    RETRY_OF,
    VOID,
    TrialCounter,
    count_valid,
    lacks_retry,
    list_owners,
)
from mlrunner.tracking.studies import SESSION


def make_trials(attributes: list[dict[str, Any]]) -> list[FrozenTrial]:
    trials = [create_trial(state=TrialState.RUNNING, user_attrs=values) for values in attributes]
    for number, trial in enumerate(trials):
        trial.number = number
    return trials


@pytest.mark.parametrize(
    ("attributes", "places"),
    [
        ([{}, {VOID: "excluded"}, {}], {0: 0, 1: 1, 2: 2}),
        ([{}, {VOID: "surplus"}, {}], {0: 0, 2: 1}),
        ([{VOID: "interrupted"}, {}, {RETRY_OF: 0}, {}], {0: 0, 1: 1, 2: 0, 3: 2}),
        ([{VOID: "retried"}, {RETRY_OF: 0, VOID: "retried"}, {RETRY_OF: 1}, {}], {0: 0, 1: 0, 2: 0, 3: 1}),
        ([{VOID: "interrupted"}, {RETRY_OF: 0, VOID: "surplus"}, {}], {0: 0, 2: 1}),
    ],
    ids=["excluded", "surplus", "interrupted", "retried", "surplus retry"],
)
def test_a_retry_has_the_place_of_the_first_attempt(attributes: list[dict[str, Any]], places: dict[int, int]) -> None:
    assert TrialCounter().number_places(make_trials(attributes)) == places


@given(st.lists(st.tuples(st.sampled_from(["new", "retry", "surplus", "excluded"]), st.booleans()), max_size=12))
def test_a_counter_that_has_seen_a_study_grow_counts_as_one_that_has_not(kinds: list[tuple[str, bool]]) -> None:
    """Trials at the end of the list still run when the counter looks first, and are discarded afterwards."""
    counter, trials = TrialCounter(), make_trials([{} for _ in kinds])
    for number, (kind, has_finished) in enumerate(kinds):
        trial = trials[number]
        if kind == "retry" and number:
            trial.set_user_attr(RETRY_OF, number - 1)
        counter.number_places(trials[: number + 1])
        if kind in ("surplus", "excluded"):
            trial.set_user_attr(VOID, kind)
        if has_finished:
            trial.state = TrialState.FAIL
        known = trials[: number + 1]
        assert dict(counter.number_places(known)) == dict(TrialCounter().number_places(known))
        assert counter.count_valid(known) == count_valid(known)
        assert counter.count_valid(known[:1]) == count_valid(known[:1])


def test_discarded_trials_do_not_count() -> None:
    assert count_valid(make_trials([{}, {VOID: "excluded"}, {RETRY_OF: 1}])) == 2


@pytest.mark.parametrize(
    ("attributes", "owners"),
    [
        ({}, []),
        ({SESSION: "a", f"{CANDIDATE}b": True}, ["a"]),
        ({f"{CANDIDATE}b": True, f"{CANDIDATE}c": True}, ["b", "c"]),
    ],
)
def test_candidates_own_a_trial_until_a_session_is_recorded(attributes: dict[str, Any], owners: list[str]) -> None:
    assert list_owners(make_trials([attributes])[0]) == owners


@pytest.mark.parametrize(
    ("reason", "session", "has_retry", "is_lacking"),
    [
        ("interrupted", "dead", False, True),
        ("retried", "dead", False, True),
        ("interrupted", "alive", False, False),
        ("interrupted", "dead", True, False),
        ("excluded", "dead", False, False),
    ],
)
def test_a_retry_is_missing_when_its_session_has_died(
    reason: str, session: str, has_retry: bool, is_lacking: bool
) -> None:
    trials = make_trials([{VOID: reason, DISCARDED_BY: session}, {RETRY_OF: 0} if has_retry else {}])
    assert not lacks_retry(trials[0], trials, {"alive"}), "it is not discarded before its state says so"
    trials[0].state = TrialState.FAIL
    assert lacks_retry(trials[0], trials, {"alive"}) is is_lacking

"""What the attributes of trials say about a list of trials."""

from __future__ import annotations

from typing import Any

import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from mlrunner.search.trial_attributes import (
    CANDIDATE,
    DISCARDED_BY,
    RETRY_OF,
    VOID,
    count_valid,
    lacks_retry,
    list_owners,
    number_places,
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
    assert number_places(make_trials(attributes)) == places


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

"""The record of a session says to other processes whether it is alive."""

from __future__ import annotations

import os
import time

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from mlrunner.search.session_record import SessionRecord
from mlrunner.tracking.studies import DAY, SESSION, describe_process, is_alive
from tests.support.sweeps import TIMEOUT, open_memory_study, start_queue, suggest


@pytest.fixture
def study() -> optuna.Study:
    return open_memory_study()


def test_a_session_records_heartbeats_until_it_is_closed(study: optuna.Study) -> None:
    queue = start_queue(study, 1, heartbeat=0.02)

    def read() -> float:
        return float(study.user_attrs[f"{SESSION}:{queue.session}"]["seen"])

    first, deadline = read(), time.monotonic() + TIMEOUT
    while read() == first and time.monotonic() < deadline:
        time.sleep(0.02)
    assert read() > first
    queue.close()
    time.sleep(0.1)
    last = read()
    time.sleep(0.1)
    assert read() == last


def test_each_session_has_a_name_of_its_own(study: optuna.Study) -> None:
    names = {start_queue(study, 1).session for _ in range(3)}
    assert len(names) == 3
    assert {study.user_attrs[f"{SESSION}:{name}"]["pid"] for name in names} == {os.getpid()}


def test_a_session_that_was_closed_is_over_though_its_process_lives(study: optuna.Study) -> None:
    """Or a second search of one process would wait for the trials of the first for ever."""
    first, second = start_queue(study, 2), SessionRecord(study, TIMEOUT)
    trial = first.take(suggest)
    assert trial is not None
    (stored,) = study.get_trials()
    assert not first.is_left(stored)
    assert not second.is_left(stored)
    first.close()
    assert second.is_left(stored)
    assert not is_alive(study.user_attrs[f"{SESSION}:{first.session}"])
    second.close()


def leave_trial(study: optuna.Study, silence: float) -> FrozenTrial:
    """Leave a running trial of a session on another machine, whose last heartbeat is old by the clock of that one."""
    beat(study, silence)
    study.add_trial(create_trial(state=TrialState.RUNNING, user_attrs={SESSION: "far"}))
    return study.get_trials()[-1]


def beat(study: optuna.Study, silence: float) -> None:
    process = {**describe_process(), "machine": "elsewhere", "pid": 1, "seen": time.time() - silence}
    study.set_user_attr(f"{SESSION}:far", process)


@pytest.mark.parametrize("silence", [3600.0, 0.0, -3600.0], ids=["slow", "right", "fast"])
def test_a_session_of_another_clock_is_alive_as_long_as_it_beats(silence: float, study: optuna.Study) -> None:
    trial, record = leave_trial(study, silence), SessionRecord(study, TIMEOUT)
    assert not record.is_left(trial)
    assert record.is_unsure(trial)
    beat(study, silence - 10)
    assert not record.is_left(trial)
    assert not record.is_unsure(trial)
    record.close()


def test_a_session_that_has_missed_four_heartbeats_is_over(study: optuna.Study) -> None:
    """Whatever the clock of its machine says."""
    trial, record = leave_trial(study, -3600), SessionRecord(study, 0.05)
    start = time.monotonic()
    while not record.is_left(trial) and time.monotonic() < start + TIMEOUT:
        time.sleep(0.005)
    assert record.is_left(trial)
    assert time.monotonic() - start >= 0.2
    record.close()


def test_a_process_that_stood_still_waits_for_heartbeats_anew(study: optuna.Study) -> None:
    trial, record = leave_trial(study, 3600), SessionRecord(study, 0.05)
    assert not record.is_left(trial)
    record.close()  # it no longer reads by itself
    time.sleep(0.25)
    assert not record.is_left(trial)


def test_a_session_of_another_day_is_over_at_once(study: optuna.Study) -> None:
    trial, record = leave_trial(study, DAY + 1), SessionRecord(study, TIMEOUT)
    assert record.is_left(trial)
    assert not record.is_unsure(trial)
    record.close()

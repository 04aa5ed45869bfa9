"""The record of a session says to other processes whether it is alive."""

from __future__ import annotations

import os
import time

import optuna
import pytest

from mlrunner.search.session_record import SessionRecord
from mlrunner.tracking.studies import SESSION, is_alive
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

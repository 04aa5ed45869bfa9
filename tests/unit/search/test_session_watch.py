"""Sessions of a study are watched without comparing the clocks of two machines."""

from __future__ import annotations

import time
from itertools import count
from threading import Event, Thread

import optuna
import pytest

from mlrunner.search.session_record import SessionRecord
from mlrunner.search.session_watch import SessionWatch
from mlrunner.search.trial_progress import AWAITING
from mlrunner.tracking.studies import DAY, SESSION, describe_process
from tests.support.sweeps import TIMEOUT, open_memory_study

CLOCKS = pytest.mark.parametrize("silence", [3600.0, 0.0, -3600.0], ids=["slow", "right", "fast"])


@pytest.fixture
def study() -> optuna.Study:
    return open_memory_study()


def beat(study: optuna.Study, silence: float) -> None:
    """Record a session of another machine, whose last heartbeat is old by the clock of that one."""
    process = {**describe_process(), "machine": "elsewhere", "pid": 1, "seen": time.time() - silence}
    study.set_user_attr(f"{SESSION}:far", process)


@CLOCKS
def test_a_session_of_another_clock_is_alive_as_long_as_it_beats(silence: float, study: optuna.Study) -> None:
    beat(study, silence)
    watch = SessionWatch(study, TIMEOUT)
    assert watch.list_live() == watch.list_unsure() == {"far"}
    beat(study, silence - 10)
    assert (watch.list_live(), watch.list_unsure()) == ({"far"}, set())


@CLOCKS
def test_a_session_that_has_missed_four_heartbeats_is_over(silence: float, study: optuna.Study) -> None:
    """Whatever the clock of its machine says."""
    beat(study, silence)
    watch, start = SessionWatch(study, 0.05), time.monotonic()
    while watch.list_live() and time.monotonic() < start + TIMEOUT:
        time.sleep(0.005)
    assert (watch.list_live(), watch.list_unsure()) == (set(), set())
    assert time.monotonic() - start >= 0.2


def test_a_process_that_stood_still_waits_for_heartbeats_anew(study: optuna.Study) -> None:
    beat(study, 3600)
    watch = SessionWatch(study, 0.05)
    assert watch.list_live()
    time.sleep(0.25)
    assert watch.list_live()


def test_a_session_of_another_day_is_over_at_once(study: optuna.Study) -> None:
    beat(study, DAY + 1)
    watch = SessionWatch(study, TIMEOUT)
    assert (watch.list_live(), watch.list_unsure()) == (set(), set())


def test_a_decision_waits_until_another_machine_is_known_to_be_lost(
    study: optuna.Study, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not SessionWatch(study, TIMEOUT).has_live()
    beat(study, 0)
    assert not SessionWatch(study, 0.05).has_live()
    assert capsys.readouterr().err == f"mlrunner: {AWAITING}.\n"
    is_over = Event()

    def keep_beating() -> None:
        for number in count():
            beat(study, -number)
            if is_over.wait(0.02):
                return

    Thread(target=keep_beating, daemon=True).start()
    assert SessionWatch(study, 1).has_live()
    is_over.set()
    record = SessionRecord(study, TIMEOUT)
    assert SessionWatch(study, TIMEOUT).has_live()  # one is known to be alive, whatever the other is
    record.close()

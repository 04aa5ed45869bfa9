"""The winner of a search is refitted once, by whichever session and however often the search is resumed."""

from __future__ import annotations

import time

import pytest

from mlrunner.search import closing, winner_claim
from mlrunner.search.session_watch import SessionWatch
from mlrunner.tracking import run_log
from mlrunner.tracking.records.record import WINNER_OF_TAG
from mlrunner.tracking.studies import SESSION, describe_process
from tests.support.search_session import Session
from tests.support.sweeps import TIMEOUT


def count_refits(session: Session) -> int:
    return sum(WINNER_OF_TAG in run.data.tags for run in session.get_children())


def test_a_search_that_is_resumed_keeps_its_winner(session: Session) -> None:
    session.run()
    assert session.driver.prepare_winner() is not None
    first = closing.close_search(session.plan, session.driver, session.driver.search.study, session.folder)
    session.driver.search.queue.close()
    later = session.open_another()
    later.run()
    assert later.driver.prepare_winner() is None
    again = closing.close_search(session.plan, later.driver, session.driver.search.study, session.folder)
    assert again["winner"] == first["winner"]
    assert count_refits(session) == 1


def test_two_sessions_that_end_together_refit_once(session: Session) -> None:
    session.run()
    study, other = session.driver.search.study, session.open_another()
    other.run()
    assert session.driver.prepare_winner() is not None
    assert other.driver.prepare_winner() is None
    assert winner_claim.find_refit(study, study.best_trial.number) is None  # it is still being made
    session.driver.search.queue.close()  # it was killed
    assert other.driver.prepare_winner() is not None
    assert count_refits(session) == 2


@pytest.mark.parametrize(("is_lost", "count"), [(True, 2), (False, 1)])
def test_a_machine_of_another_clock_keeps_the_winner_while_its_heartbeats_come(
    is_lost: bool, count: int, session: Session
) -> None:
    session.run()
    assert session.driver.prepare_winner() is not None
    study, queue, other = session.driver.search.study, session.driver.search.queue, session.open_another()
    queue.close()
    other.run()
    watch = other.driver.search.queue.watch = SessionWatch(study, 0.15 if is_lost else TIMEOUT)
    process = {**describe_process(), "machine": "elsewhere", "seen": time.time() - 3600}
    for beats in (0, 0 if is_lost else 1):
        study.set_user_attr(f"{SESSION}:{queue.session}", {**process, "seen": process["seen"] + beats})
        watch.list_live()
    assert (other.driver.prepare_winner() is None) is not is_lost
    assert count_refits(session) == count


def test_other_settings_or_another_trial_need_another_refit(session: Session) -> None:
    session.run()
    assert session.driver.prepare_winner() is not None
    assert session.driver.winner_run is not None
    study, run_id = session.driver.search.study, session.driver.winner_run.run_id
    best, prepared = study.best_trial.number, session.driver._read(study.best_trial).prepared
    settings = winner_claim.digest_settings(prepared)
    run_log.end_run(run_id, "FINISHED")
    assert winner_claim.is_claimed(study, best, settings, ())
    assert not winner_claim.is_claimed(study, best, "others", ())
    assert not winner_claim.is_claimed(study, best + 1, settings, ())
    assert (winner_claim.find_refit(study, best), winner_claim.find_refit(study, best + 1)) == (run_id, None)
    session.client.delete_run(run_id)
    assert not winner_claim.is_claimed(study, best, settings, ())
    assert winner_claim.find_refit(study, best) is None

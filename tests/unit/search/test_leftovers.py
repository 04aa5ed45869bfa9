"""Each trial that has finished gets one run in MLflow, whichever session is killed, and whenever."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from threading import Timer

import pytest
from optuna.trial import TrialState, create_trial

from mlrunner.core.outcome import OUTCOME_FILE, read_outcome
from mlrunner.search.leftovers import Leftovers
from mlrunner.search.trial import TrialResult
from mlrunner.search.trial_attributes import FOLDER, OVERRIDES, VOID
from mlrunner.tracking.background_writer import RECORDER
from mlrunner.tracking.records.record import TRIAL_TAG
from mlrunner.tracking.studies import SESSION
from tests.support.search_session import Session


@pytest.fixture
def unrecorded(session: Session) -> Path:
    """The record of trial 1, which its session has not written into the folder of the trial."""
    session.run()
    RECORDER.flush()
    file = session.folder / "1" / OUTCOME_FILE
    file.rename(file.with_name("away"))
    return file


def list_numbers(session: Session) -> list[str]:
    RECORDER.flush()
    return sorted(run.data.tags[TRIAL_TAG] for run in session.get_children())


def test_a_trial_of_a_session_that_was_killed_is_recorded_once(session: Session, unrecorded: Path) -> None:
    """Also where it was killed between the record in MLflow and the file."""
    session.driver.search.queue.close()
    later = session.open_another()
    assert [record["number"] for _, _, record in later.run()] == [1]
    assert list_numbers(session) == ["0", "1", "2"]
    (run,) = [run.info.run_id for run in session.get_children() if run.data.tags[TRIAL_TAG] == "1"]
    assert read_outcome(unrecorded).run_id == run
    assert later.driver.child_runs.get_run(session.driver.search.study.get_trials()[1]) == run
    assert later.run() == []


def test_a_trial_of_a_living_session_is_left_to_it(session: Session, unrecorded: Path) -> None:
    other = session.open_another().driver
    read = other._read_leftover
    assert list(Leftovers(other.search.queue, other.child_runs, nullcontext()).record(read)) == []
    impatient = Leftovers(other.search.queue, other.child_runs, nullcontext(), patience=0)
    assert list(impatient.record_last(read, lambda: False)) == []
    assert list(impatient.record_last(read, lambda: True)) == []
    assert not unrecorded.exists()
    assert other.child_runs.get_run(session.driver.search.study.get_trials()[1]) is None


def test_a_session_waits_until_another_has_recorded_its_trials(session: Session, unrecorded: Path) -> None:
    Timer(0.3, lambda: unrecorded.with_name("away").rename(unrecorded)).start()
    assert session.open_another().run() == []
    assert unrecorded.exists()
    assert list_numbers(session) == ["0", "1", "2"]


def leave(session: Session, overrides: list[str], **attributes: str) -> None:
    """Leave a trial that has a result and no record."""
    folder = session.folder / "3"
    folder.mkdir()
    TrialResult(3, "FAIL", error="no such model").write(folder)
    attrs = {OVERRIDES: overrides, FOLDER: str(folder), SESSION: "gone", **attributes}
    session.driver.search.study.add_trial(create_trial(state=TrialState.FAIL, user_attrs=attrs))


def test_a_trial_that_was_refused_is_recorded_as_well(session: Session) -> None:
    session.run()
    leave(session, ["model=ridge", "model.estimator.alpha=text"])
    assert session.open_another().run() == []  # ZenML has no step of a trial without rows
    RECORDER.flush()
    (run,) = [run for run in session.get_children() if run.data.tags[TRIAL_TAG] == "3"]
    assert run.info.status == "FAILED"


@pytest.mark.parametrize(("reason", "numbers"), [("interrupted", "012"), ("retried", "0123")])
def test_a_trial_that_runs_once_more_has_no_run_but_a_failed_attempt_has(
    reason: str, numbers: str, session: Session
) -> None:
    session.run()
    leave(session, ["model=ridge", "model.estimator.alpha=text"], **{VOID: reason})
    session.open_another().run()
    assert list_numbers(session) == list(numbers)

"""Trials are recorded as child runs of a search, and written into their folders."""

from __future__ import annotations

import socket
from dataclasses import dataclass

import pytest

from mlrunner.core.errors import StoreError
from mlrunner.core.outcome import OUTCOME_FILE, read_outcome
from mlrunner.search.trial_step import BackgroundStep
from mlrunner.tracking.background_writer import RECORDER
from mlrunner.tracking.records.record import HELD_OUT_TAG, TRIAL_TAG, WORKER_TAG, ZENML_RUN_TAG
from tests.support.search_session import Session


def test_every_trial_is_a_child_run(session: Session) -> None:
    session.run()
    RECORDER.flush()
    trials = session.driver.search.study.get_trials()
    children = {int(run.data.tags[TRIAL_TAG]): run for run in session.get_children()}
    assert set(children) == {0, 1, 2}
    for trial in trials:
        run, outcome = children[trial.number], read_outcome(session.folder / str(trial.number) / OUTCOME_FILE)
        assert run.data.metrics["r2"] == outcome.objective == trial.value
        assert (run.info.status, run.info.run_id) == ("FINISHED", outcome.run_id)
        assert session.driver.child_runs.get_run(trial) == run.info.run_id
        assert run.data.tags[ZENML_RUN_TAG] == session.driver.pipeline_run
        assert run.data.tags[WORKER_TAG].startswith(f"{socket.gethostname()}:")
        assert float(run.data.tags[HELD_OUT_TAG]) == 1.0  # as many rows are held out as train
        assert run.data.params["model.estimator.alpha"] == str(session.get_alpha(trial.number))
        assert session.client.download_artifacts(run.info.run_id, "config.yaml")


@dataclass(frozen=True)
class Refused(BackgroundStep):
    """A step that ZenML's store does not take."""

    def write(self) -> None:
        raise OSError("no space left")


def test_a_trial_that_zenml_does_not_take_is_left_to_a_later_session(session: Session) -> None:
    """The file in its folder says that it is recorded everywhere."""
    session.run()
    driver = session.driver
    RECORDER.flush()
    trial = driver.search.study.get_trials()[1]
    (session.folder / "1" / OUTCOME_FILE).unlink()
    driver.child_runs.record(driver._read(trial), Refused("run", 0, {}, 0.0, 0.0))
    driver.await_records()
    assert not (session.folder / "1" / OUTCOME_FILE).exists()
    with pytest.raises(StoreError, match="no space left"):
        RECORDER.flush()

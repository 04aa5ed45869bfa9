"""A search without the steps of ZenML: what they record of the trials, and what refits the winner."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mlrunner.search.trial import TrialResult
from mlrunner.search.trial_attributes import FOLDER
from mlrunner.tracking.records.record import PARENT_TAG, WINNER_OF_TAG
from tests.support.search_runs import InlineExecutor
from tests.support.search_session import Session


def test_every_trial_is_a_step(session: Session) -> None:
    steps = list(session.run())
    trials = session.driver.search.study.get_trials()
    assert {record["number"]: record["scores"]["r2"] for _, _, record in steps} == {
        trial.number: trial.value for trial in trials
    }
    for rows, scored, record in steps:
        assert scored is rows.validation
        assert record["state"] == "COMPLETE"
        assert record["model_config"]["estimator"]["alpha"] == session.get_alpha(record["number"])
    assert session.driver.search_seconds > 0


def test_a_cluster_is_left_before_the_winner_is_refitted(session: Session) -> None:
    executor = session.driver.search.executor
    assert isinstance(executor, InlineExecutor)
    steps = session.driver.run_trials(session.maker)
    next(steps)
    assert not executor.is_released
    assert list(steps)
    assert executor.is_released


def test_the_winner_is_refitted_with_its_rows_and_its_model(session: Session) -> None:
    session.run()
    winner = session.driver.prepare_winner()
    assert winner is not None
    best = session.driver.search.study.best_trial
    assert winner.refit["model_config"].settings["estimator"]["alpha"] == session.get_alpha(best.number)
    assert winner.scores["r2"] == best.value
    assert winner.rows.raw.load() is session.maker.raw
    run = session.client.get_run(winner.run.run_id)
    assert run.data.tags[WINNER_OF_TAG] == session.driver.child_runs.get_run(best)
    assert run.data.tags[PARENT_TAG] == session.driver.parent


def test_the_winner_keeps_the_threshold_of_its_trial(session: Session) -> None:
    session.run()
    folder = Path(session.driver.search.study.best_trial.user_attrs[FOLDER])
    result = TrialResult.read(folder)
    replace(result, metrics={**result.metrics, "threshold": 0.1 + 0.2}).write(folder)
    winner = session.driver.prepare_winner()
    assert winner is not None
    assert winner.refit["model_config"].settings["threshold"] == winner.scores["threshold"] == 0.1 + 0.2


@pytest.mark.parametrize("reason", ["no trial", "interrupted", "switched off"])
def test_without_a_reason_nothing_is_refitted(reason: str, session: Session) -> None:
    search = session.driver.search
    if reason != "no trial":
        session.run()
    if reason == "interrupted":
        search.interrupts.count = 1
    if reason == "switched off":
        search.settings = search.settings.model_copy(update={"refit": False})
    assert session.driver.prepare_winner() is None

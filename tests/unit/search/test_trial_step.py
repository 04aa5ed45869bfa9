"""ZenML runs the step of the first trial of each set of tables; those of the others are written like it."""

from __future__ import annotations

from dataclasses import replace

from mlrunner.search.trial_step import TrialSteps, drop_nan
from tests.support.search_session import Session


def test_a_step_that_zenml_has_run_is_the_template_for_others_with_its_tables(session: Session) -> None:
    records = {record["number"]: record for _, _, record in session.run()}
    trials = session.driver.search.study.get_trials()
    first, second, third = (session.driver._read(trial) for trial in trials)
    steps = TrialSteps("run")
    assert steps.describe(first) is not None
    assert steps.find_background_step(second) is None  # ZenML has not run it yet
    steps.confirm(0)
    step = steps.find_background_step(second)
    assert step is not None
    assert (step.run, step.template, step.record) == ("run", 0, records[1])
    assert (step.started, step.seconds) == (second.started, second.result.seconds)
    assert steps.find_background_step(third) is not None


def test_a_trial_without_tables_has_no_step(session: Session) -> None:
    session.run()
    trial = session.driver.search.study.get_trials()[0]
    refused = replace(session.driver._read(trial), tables=None)
    steps = TrialSteps("run")
    assert (steps.describe(refused), steps.find_background_step(refused)) == (None, None)


def test_metrics_that_are_nan_are_left_out() -> None:
    assert drop_nan({"r2": 0.5, "mape": float("nan")}) == {"r2": 0.5}

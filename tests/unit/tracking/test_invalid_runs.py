"""A run is invalid when it is tagged so; a trial also when the refit of it, as the winner, is."""

from __future__ import annotations

from mlrunner.tracking.invalid_runs import list_invalid_trials, read_invalid
from mlrunner.tracking.records.record import INVALID_TAG, PARENT_TAG, TRIAL_TAG, WINNER_OF_TAG
from tests.support.mlflow_home import MlflowHome


def test_invalid_trials_of_a_sweep_are_listed(mlflow_home: MlflowHome) -> None:
    parent, other = mlflow_home.add_run(), mlflow_home.add_run()
    trials = [mlflow_home.add_run(**{PARENT_TAG: parent, TRIAL_TAG: str(number)}) for number in range(3)]
    mlflow_home.add_run(**{PARENT_TAG: parent, TRIAL_TAG: "3", INVALID_TAG: "it leaks"})
    mlflow_home.add_run(**{PARENT_TAG: other, TRIAL_TAG: "4", INVALID_TAG: "it leaks"})
    mlflow_home.add_run(**{PARENT_TAG: parent, WINNER_OF_TAG: trials[1], INVALID_TAG: "old rows"})
    assert list_invalid_trials(parent) == {"3": "it leaks", "1": "old rows"}
    assert list_invalid_trials(trials[0]) == {}


def test_the_reason_of_an_invalid_run_is_read(mlflow_home: MlflowHome) -> None:
    assert read_invalid(mlflow_home.add_run(**{INVALID_TAG: "it leaks"})) == "it leaks"
    assert read_invalid(mlflow_home.add_run()) is None
    assert read_invalid("0" * 32) is None

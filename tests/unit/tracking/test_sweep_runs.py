"""The runs of a sweep are found by their parent."""

from __future__ import annotations

import pytest

from mlrunner.tracking import run_log, sweep_runs
from mlrunner.tracking.records.record import PARENT_TAG, TRIAL_TAG, WINNER_OF_TAG, ZENML_RUN_TAG


@pytest.mark.usefixtures("mlflow_home")
def test_the_runs_of_a_sweep() -> None:
    experiment = run_log.ensure_experiment("tests", None)
    parent = run_log.create_run(experiment, "parent", {}).run_id

    def create(**tags: str) -> str:
        return str(run_log.create_run(experiment, "child", {PARENT_TAG: parent, **tags}).run_id)

    ended, first = create(**{TRIAL_TAG: "0"}), create(**{TRIAL_TAG: "1", ZENML_RUN_TAG: "search-a-b"})
    second, refit = create(**{TRIAL_TAG: "1"}), create(**{TRIAL_TAG: "1", WINNER_OF_TAG: first})
    run_log.end_run(ended, "FINISHED")
    assert sweep_runs.list_running(parent) == {first: "search-a-b", second: "", refit: ""}
    assert (sweep_runs.read_status(ended), sweep_runs.read_status(first)) == ("FINISHED", "RUNNING")
    assert sweep_runs.list_recorded(parent) == {0: (ended, "child")}
    sweep_runs.delete_trial(parent, 1)
    assert sweep_runs.list_running(parent) == {refit: ""}
    assert (sweep_runs.read_status(first), sweep_runs.read_status("0" * 32)) == (None, None)

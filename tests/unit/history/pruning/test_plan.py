"""What a prune plans."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.history.pruning.criteria import Criteria
from mlrunner.history.pruning.plan import find_named, make_plan, read_all
from mlrunner.tracking.records import FOLDER_TAG, STUDY_TAG, SWEEP_TAG, TRIAL_TAG
from mlrunner.tracking.records.mlflow_store import MlflowStore
from tests.support.mlflow_home import MlflowHome
from tests.support.records import make_cache


def test_only_the_scores_of_the_objective_are_read(mlflow_home: MlflowHome) -> None:
    for metric in ("r2", "mine"):
        run_id = mlflow_home.add_run()
        mlflow_home.client.log_param(run_id, "objective.metric", metric)
        for name in (f"test/{metric}", "other"):
            mlflow_home.client.log_metric(run_id, name, 0.5)
    mlflow_home.add_run()
    assert [run.metrics for run in read_all(mlflow_home.store)] == [{}, {"test/mine": 0.5}, {"test/r2": 0.5}]
    store = MlflowStore(mlflow_home.client.tracking_uri)
    assert read_all(store)[2].metrics == {"test/r2": 0.5, "other": 0.5}


@pytest.mark.parametrize("status", ["RUNNING", "FINISHED"])
def test_cache_stays_while_a_sweep_is_running(status: str, mlflow_home: MlflowHome) -> None:
    make_cache(mlflow_home.home, 3)
    mlflow_home.add_run(status=status, **{SWEEP_TAG: f"day/{status}"})
    plan = make_plan(mlflow_home.store, mlflow_home.home, Criteria(), with_cache=True)
    assert plan.is_cache_busy == (status == "RUNNING")
    assert plan.is_empty == plan.is_cache_busy


def test_files_and_study_of_a_run(mlflow_home: MlflowHome) -> None:
    folder = mlflow_home.home / "multirun" / "day" / "s"
    folder.mkdir(parents=True)
    (folder / "file").write_bytes(b"0" * 2000)
    search = {SWEEP_TAG: "day/s", FOLDER_TAG: str(folder), STUDY_TAG: "mine"}
    run_id = mlflow_home.add_run(**search)
    (item,) = make_plan(mlflow_home.store, mlflow_home.home, Criteria(named=frozenset({run_id}))).items
    assert (item.folder, item.study, item.bytes) == (folder, "mine", 2000 + len("text"))
    assert item.artifacts == (mlflow_home.home / "artifacts" / run_id,)
    mlflow_home.add_run(**{**search, SWEEP_TAG: "day/t"})  # uses the same folder and study
    (item,) = make_plan(mlflow_home.store, mlflow_home.home, Criteria(named=frozenset({run_id}))).items
    assert (item.folder, item.study) == (None, None)


def test_named_sweep_stands_for_its_runs(mlflow_home: MlflowHome, tmp_path: Path) -> None:
    parent = mlflow_home.add_run(**{SWEEP_TAG: "day/s"})
    trial = mlflow_home.add_run(**{SWEEP_TAG: "day/s", TRIAL_TAG: "0"})
    assert find_named(mlflow_home.store, ["day/s"], tmp_path) == {parent, trial}
    assert find_named(mlflow_home.store, [trial], tmp_path) == {trial}
    assert find_named(mlflow_home.store, [], tmp_path) is None


def test_name_of_several_runs_is_refused(mlflow_home: MlflowHome, tmp_path: Path) -> None:
    for _ in range(2):
        mlflow_home.client.set_tag(mlflow_home.add_run(), "mlflow.runName", "twin")
    with pytest.raises(ConfigError, match=r"2 runs have the name twin: \w{8}, \w{8}; give an id, or --where"):
        find_named(mlflow_home.store, ["twin"], tmp_path)

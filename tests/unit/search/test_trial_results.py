"""Results of trials that ran on another machine, in a real MLflow store."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import InMemoryStorage

from mlrunner.core.outcome import read_outcome
from mlrunner.search.trial import TrialResult
from mlrunner.search.trial_attributes import FOLDER
from mlrunner.search.trial_results import RESULT, restore_results, store_result
from mlrunner.tracking.records.record import INTERRUPTED_TAG, PARENT_TAG, TRIAL_TAG, WINNER_OF_TAG
from tests.support.mlflow_home import MlflowHome
from tests.support.mlflow_home import mlflow_home as mlflow_home
from tests.support.mlflow_home import template as template
from tests.support.ranked_sweep import UP

FOUND = TrialResult(
    0, "COMPLETE", {"r2": 0.1 + 0.2, "threshold": 0.25}, [0.5], 2.0, 1.0, 0.5, replicates={"rows": "a"}, worker="node 7"
)


@pytest.fixture
def study(tmp_path: Path) -> optuna.Study:
    study = optuna.create_study(storage=InMemoryStorage(), direction="maximize")
    study.set_user_attr(FOLDER, str(tmp_path / "sweep"))
    return study


def add(study: optuna.Study, folder: Path, result: TrialResult = FOUND, **changes: Any) -> None:
    """Add a trial as another machine leaves it: its result is in the study, and its folder is not here."""
    trial = study.ask()
    trial.set_user_attr(FOLDER, str(folder))
    trial.set_user_attr(RESULT, {**asdict(result), **changes})
    study.tell(trial, 0.3)


@pytest.mark.parametrize("is_shared", [True, False])
def test_a_result_is_in_its_folder_and_in_a_shared_study(is_shared: bool, study: optuna.Study, tmp_path: Path) -> None:
    trial = study.ask()
    failed = TrialResult(0, "FAIL", error="cannot open postgresql://me:secret@host/db")
    store_result(trial, failed, tmp_path / "0", is_shared)
    assert TrialResult.read(tmp_path / "0") == failed
    assert trial.user_attrs[FOLDER] == str(tmp_path / "0")
    assert (RESULT in trial.user_attrs) is is_shared
    assert "secret" not in json.dumps(trial.user_attrs)


def test_results_come_back_to_the_digit_with_their_runs(
    study: optuna.Study, mlflow_home: MlflowHome, tmp_path: Path
) -> None:
    sweep = tmp_path / "sweep"
    parent = mlflow_home.add_run()
    tags = {PARENT_TAG: parent, TRIAL_TAG: "0"}
    mlflow_home.add_run(status="RUNNING", **tags)
    mlflow_home.add_run(status="KILLED", **tags, **{INTERRUPTED_TAG: "true"})
    mlflow_home.add_run(**tags, **{WINNER_OF_TAG: "f" * 32})
    run_id = mlflow_home.add_run(**tags)
    add(study, sweep / "0")
    add(study, sweep / "1")
    restore_results(study, parent, UP)
    assert TrialResult.read(sweep / "0") == FOUND
    outcome = read_outcome(sweep / "0" / "result.json")
    assert (outcome.run_id, outcome.objective, outcome.metrics) == (run_id, 0.1 + 0.2, FOUND.metrics)
    assert (outcome.status, outcome.folder, outcome.job) == ("FINISHED", str(sweep / "0"), 0)
    assert TrialResult.read(sweep / "1").number == 1  # whatever the store says
    assert not (sweep / "1" / "result.json").exists()  # it has no run yet


def test_what_is_here_is_kept(study: optuna.Study, mlflow_home: MlflowHome, tmp_path: Path) -> None:
    folder = tmp_path / "sweep" / "0"
    folder.mkdir(parents=True)
    (folder / "trial_result.json").write_text("mine")
    parent = mlflow_home.add_run()
    mlflow_home.add_run(**{PARENT_TAG: parent, TRIAL_TAG: "0"})
    add(study, folder)
    restore_results(study, parent, UP)
    assert (folder / "trial_result.json").read_text() == "mine"
    (folder / "result.json").write_text("mine")
    restore_results(study, "not asked", UP)
    assert (folder / "result.json").read_text() == "mine"


def test_a_stranger_writes_nowhere_else_and_nothing_else(study: optuna.Study, tmp_path: Path) -> None:
    add(study, tmp_path / "elsewhere")
    add(study, tmp_path / "sweep" / ".." / "other")
    add(study, tmp_path / "sweep" / "2", metrics={"r2": "${oc.env:HOME}"})
    restore_results(study, "not asked", UP)
    assert list(tmp_path.iterdir()) == []

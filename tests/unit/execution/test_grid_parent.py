"""The parent run of a grid in a real MLflow store."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mlrunner.core.outcome import Outcome
from mlrunner.execution import grid_parent
from tests.support.mlflow_home import MlflowHome
from tests.support.mlflow_home import mlflow_home as mlflow_home
from tests.support.mlflow_home import template as template


@pytest.fixture
def best(tmp_path: Path) -> Outcome:
    folder = tmp_path / "grid" / "0"
    folder.mkdir(parents=True)
    return Outcome("model=rf", "FINISHED", "r2", "maximize", 0.5, 1.0, 1.0, 1.0, {}, "r" * 32, None, str(folder), job=0)


def test_a_finished_grid_records_its_best_job_and_the_ranking(
    mlflow_home: MlflowHome, best: Outcome, tmp_path: Path
) -> None:
    parent = mlflow_home.add_run(status="RUNNING")
    (tmp_path / "multirun.yaml").write_text("x: 1\n")
    failed = replace(best, job=1, error="ValueError: x", objective=float("nan"))
    grid_parent.close_parent(parent, tmp_path, [best, failed])
    run = mlflow_home.client.get_run(parent)
    assert (run.info.status, run.data.metrics) == ("FINISHED", {"r2": 0.5})
    assert run.data.tags["mlrunner.best_run_id"] == "r" * 32
    ranking = Path(mlflow_home.client.download_artifacts(parent, "ranking.jsonl")).read_text().splitlines()
    assert [json.loads(line)["job"] for line in ranking] == [0, 1]
    assert Path(mlflow_home.client.download_artifacts(parent, "multirun.yaml")).read_text() == "x: 1\n"


def test_a_grid_of_several_questions_has_no_best_job(mlflow_home: MlflowHome, best: Outcome, tmp_path: Path) -> None:
    parent = mlflow_home.add_run(status="RUNNING")
    grid_parent.close_parent(parent, tmp_path, [replace(best, question="tip"), replace(best, question="fare")])
    run = mlflow_home.client.get_run(parent)
    assert (run.info.status, run.data.metrics) == ("FINISHED", {})
    assert "mlrunner.best_run_id" not in run.data.tags


def test_a_grid_of_failures_has_failed(mlflow_home: MlflowHome, best: Outcome, tmp_path: Path) -> None:
    parent = mlflow_home.add_run(status="RUNNING")
    grid_parent.close_parent(parent, tmp_path, [replace(best, error="ValueError: x")])
    run = mlflow_home.client.get_run(parent)
    assert (run.info.status, run.data.metrics) == ("FAILED", {})


def test_an_aborted_grid_ends_its_running_jobs(mlflow_home: MlflowHome) -> None:
    parent = mlflow_home.add_run(status="RUNNING")
    tags = {"mlflow.parentRunId": parent}
    running, finished = (mlflow_home.add_run(status=status, **tags) for status in ("RUNNING", "FINISHED"))
    grid_parent.abort_parent(parent, "KILLED")
    statuses = [mlflow_home.client.get_run(run_id).info.status for run_id in (parent, running, finished)]
    assert statuses == ["KILLED", "KILLED", "FINISHED"]

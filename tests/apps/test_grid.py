"""Grids through Hydra's own sweeper: ranked, tracked under one parent, and no failure stops the rest."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflow import MlflowClient

from tests.support.front_door import PROJECT, UNSAVED, CommandResult, Runner, start_command
from tests.support.stores import open_store

pytestmark = pytest.mark.slow


def parents(client: MlflowClient, outcomes: list[Any]) -> set[str]:
    """The parent runs of a sweep's children."""
    return {
        client.get_run(outcome["run_id"]).data.tags["mlflow.parentRunId"] for outcome in outcomes if outcome["run_id"]
    }


@pytest.mark.parametrize(
    ("launcher", "models", "splits"),
    [("basic", "linear_regression,ridge", "80_20,kfold"), ("joblib", "ridge", "80_20,kfold")],
)
def test_a_grid_is_ranked_under_one_parent(
    launcher: str, models: str, splits: str, mlrunner: Runner, session_home: Path
) -> None:
    result: CommandResult = mlrunner(
        "--multirun", "dataset=diabetes", f"model={models}", f"split={splits}", "output=json",
        f"hydra/launcher={launcher}", *UNSAVED,
    )  # fmt: skip
    assert result.code == 0, result.err
    outcomes = result.json
    jobs = len(models.split(",")) * 2
    assert [outcome["objective"] for outcome in outcomes] == sorted(
        (outcome["objective"] for outcome in outcomes), reverse=True
    )
    assert sorted(outcome["job"] for outcome in outcomes) == list(range(jobs))
    client = open_store(session_home)
    (parent,) = parents(client, outcomes)
    best = client.get_run(parent)
    children = [client.get_run(outcome["run_id"]).data.tags for outcome in outcomes]
    assert {tags["mlrunner.sweep_id"] for tags in children} == {best.data.tags["mlrunner.sweep_id"]}
    assert best.info.status == "FINISHED"
    assert best.data.tags["mlrunner.best_run_id"] == outcomes[0]["run_id"]
    assert best.data.metrics["r2"] == outcomes[0]["objective"]
    assert_folders_name_their_compositions(outcomes)


def assert_folders_name_their_compositions(outcomes: list[Any]) -> None:
    """Check the files that Hydra and we leave in the folders of a grid."""
    for outcome in outcomes:
        overrides = yaml.safe_load((Path(outcome["folder"]) / ".hydra" / "overrides.yaml").read_text())
        assert overrides[0] == "dataset=diabetes"
        assert ",".join(overrides[1:3]).replace("'", "").endswith(outcome["name"])
        assert json.loads((Path(outcome["folder"]) / "result.json").read_text())["run_id"] == outcome["run_id"]
    assert (Path(outcomes[0]["folder"]).parent / "multirun.yaml").exists()


def test_one_failing_composition_does_not_stop_the_others(mlrunner: Runner) -> None:
    result = mlrunner("--multirun", "dataset=diabetes", "model=dummy,logistic_regression,ridge", *UNSAVED)
    assert result.code == 1
    lines = result.out.splitlines()
    assert sum(line.startswith("✓") for line in lines) == 2
    failed = [line for line in lines if line.startswith("✗")]
    assert len(failed) == 1
    assert "model=logistic_regression does not do regression" in failed[0]
    folder = next(line.split()[-1] for line in lines if line.strip().startswith("folder"))
    assert "does not do regression" in (PROJECT / folder / "1" / "mlrunner.log").read_text()
    ranking = [line.split()[:3] for line in lines if line.strip()[:1] in "12-" and " model=" in line]
    assert [row[2].partition("model=")[2] for row in ranking] == ["ridge", "dummy", "logistic_regression"]


def test_an_interrupted_grid_keeps_finished_jobs(session_home: Path) -> None:
    client, name = open_store(session_home), "hangup"
    forest = ("dataset=diabetes", "model=rf", "model.estimator.n_estimators=2,200000", "tracking.plots=false")
    with start_command(session_home, "-m", f"tracking.experiment={name}", *forest) as process:
        deadline = time.monotonic() + 120
        while len(run_statuses := statuses_of(client, name)) < 3 and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(0.5)
        process.signal_all(signal.SIGHUP)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 129, err
    run_statuses = statuses_of(client, name)
    assert run_statuses["n_estimators=2"] == "FINISHED"
    assert run_statuses["n_estimators=200000"] == "KILLED"
    assert sorted(run_statuses.values()) == ["FINISHED", "KILLED", "KILLED"]


def statuses_of(client: MlflowClient, experiment: str) -> dict[str, str]:
    """The status of every run of an experiment, by name."""
    record = client.get_experiment_by_name(experiment)
    runs = client.search_runs([record.experiment_id]) if record is not None else []
    return {run.info.run_name: run.info.status for run in runs}

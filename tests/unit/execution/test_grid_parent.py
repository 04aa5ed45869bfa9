"""The parent run of a grid in a real MLflow store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, open_dict

from mlrunner.composition.deployment_name import register_resolver
from mlrunner.core.errors import DeployError
from mlrunner.core.outcome import Outcome
from mlrunner.core.project import CONF
from mlrunner.execution import grid_parent
from tests.support.mlflow_home import MlflowHome
from tests.support.mlflow_home import mlflow_home as mlflow_home
from tests.support.mlflow_home import template as template
from tests.support.outcomes import make_outcome


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


RECORDED = {
    "dataset": {"name": "wine"},
    "cleaning": {},
    "split": {},
    "objective": {},
    "seed": 3,
    "gate": {"_target_": "recorded.Gate"},
    "deployer": {"_target_": "recorded.Deployer"},
}


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A folder for a grid, with Hydra open as it is during one."""
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    register_resolver()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        yield tmp_path


def compose_grid(*task: str) -> DictConfig:
    """Compose a grid as Hydra does: without the overrides that it varies."""
    cfg = compose("mlrunner", [text for text in task if "," not in text], return_hydra_config=True)
    with open_dict(cfg):
        cfg.hydra.overrides.task = list(task)
    return cfg


NO_GATE, NO_DEPLOYER = "mlrunner.groups.gate.NoGate", "mlrunner.groups.deployer.NoDeployer"
MIN_ACCURACY = "mlrunner.groups.gate.thresholds.MinAccuracy"
LOCAL = "mlrunner.groups.deployer.local.LocalDeployer"


@pytest.mark.parametrize(
    ("task", "job", "gate", "deployer"),
    [
        (["seed=1,2", "deployer=none"], ["seed=2", "deployer=local"], NO_GATE, NO_DEPLOYER),  # resumed without one
        (["gate=none,min_accuracy", "deployer=local"], ["gate=min_accuracy", "deployer=local"], MIN_ACCURACY, LOCAL),
        (["deployer=none,local"], ["deployer=local"], NO_GATE, LOCAL),
        (["deployer=local", "deployer.port=7001,7002"], ["deployer=local", "deployer.port=7002"], NO_GATE, LOCAL),
    ],
)
def test_gate_and_deployer_are_those_of_the_command_and_of_its_job(
    task: list[str], job: list[str], gate: str, deployer: str, home: Path
) -> None:
    """And never those of the store (H6)."""
    folder = home / "2" / ".hydra"
    folder.mkdir(parents=True)
    (folder / "overrides.yaml").write_text("".join(f"- {text}\n" for text in job))
    best = make_outcome(folder=str(home / "2"), job=2)
    config = grid_parent.use_gate_and_deployer(best, compose_grid(*task), RECORDED)
    assert (config["gate"]["_target_"], config["deployer"]["_target_"]) == (gate, deployer)
    assert config["deployer"].get("name", "wine") == "wine"  # after the table of the job
    assert config["deployer"].get("port") in (None, 8000, 7002)
    assert config["seed"] == 3


def test_a_grid_that_varies_the_deployer_and_keeps_no_overrides_deploys_nothing(home: Path) -> None:
    best = make_outcome(folder=str(home), job=2, run_id="abc")
    grid = compose_grid("deployer=none,local", "hydra.output_subdir=null")
    with pytest.raises(DeployError, match=r"varies deployer, .* job 2; type them: mlrunner deploy abc gate="):
        grid_parent.use_gate_and_deployer(best, grid, RECORDED)
    fixed = compose_grid("deployer=local", "hydra.output_subdir=null")
    assert grid_parent.use_gate_and_deployer(best, fixed, RECORDED)["deployer"]["_target_"] == LOCAL

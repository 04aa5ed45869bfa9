"""The steps that score a saved model, ask the gate and deploy, called without a pipeline."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from mlrunner.core.build import dataclass
from mlrunner.core.column_roles import Roles
from mlrunner.groups.deployer import Candidate, Deployer, Deployment
from mlrunner.groups.gate import Decision
from mlrunner.steps import deploying, recording
from mlrunner.steps.materializers import FittedModel
from mlrunner.steps.problem import Problem
from mlrunner.steps.recording import RunContext

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:alembic", "ignore::ResourceWarning")
RAW = pd.DataFrame({"a": [float(value) for value in range(20)], "y": [2.0 * value + value % 3 for value in range(20)]})
TEST = RAW.iloc[10:]
FITTED = FittedModel(LinearRegression().fit(RAW[["a"]].to_numpy(), RAW["y"]), "models:/m-1")
PROBLEM = Problem(roles=Roles("y"), task="regression", label="data")
NO_GATE = {"_target_": "mlrunner.groups.gate.NoGate"}
NO_DEPLOYER = {"_target_": "mlrunner.groups.deployer.NoDeployer"}
DECISION = {"deploy": True, "reason": "good", "against": 4}


@dataclass
class FileDeployer(Deployer):
    """Writes what it deploys to a file.

    Args:
        path: Path of the file.
    """

    path: str

    def deploy(self, candidate: Candidate, decision: Decision) -> Deployment | None:
        """See `Deployer.deploy`."""
        if not decision.deploy:
            return None
        Path(self.path).write_text(json.dumps([candidate.uri, candidate.run_id, candidate.against, *candidate.metrics]))
        return Deployment("files", 1, None, f"in {self.path}")


def to_file(path: Path) -> dict[str, str]:
    return {"_target_": f"{FileDeployer.__module__}.FileDeployer", "path": str(path)}


class FirstColumn(LinearRegression):  # type: ignore[misc]
    """Fitted on raw rows, of which it reads the column `a`."""

    def predict(self, X: pd.DataFrame) -> object:
        return super().predict(X[["a"]].to_numpy())


def test_score_keeps_the_scores_of_the_other_parts() -> None:
    model = FittedModel(FirstColumn().fit(RAW[["a"]].to_numpy(), RAW["y"]), "models:/m-1")
    scores = deploying.score.entrypoint(model, RAW, TEST, {"train/r2": 0.25, "test/r2": -1.0}, PROBLEM)
    assert scores["train/r2"] == 0.25
    assert 0.9 < scores["test/r2"] <= 1


def test_gate_without_a_choice_opens_and_is_recorded_as_none(run: RunContext) -> None:
    decision = deploying.gate.entrypoint(FITTED, RAW, TEST, {"test/r2": 0.5}, PROBLEM, NO_GATE, NO_DEPLOYER, run)
    assert (decision["deploy"], decision["against"]) == (True, None)
    assert recording.read_deployment(run.run_id) == {"gate": None, "deployment": None}


def test_gate_is_recorded_where_a_deployer_is_chosen(run: RunContext, tmp_path: Path) -> None:
    group = to_file(tmp_path / "model.json")
    deploying.gate.entrypoint(FITTED, RAW, TEST, {"test/r2": 0.5}, PROBLEM, NO_GATE, group, run)
    assert recording.read_deployment(run.run_id)["gate"]["open"]


def test_deployer_gets_the_candidate(run: RunContext, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    recording.tag_decision(run, Decision(True, "good"))
    deploying.deploy.entrypoint(FITTED, {"test/r2": 0.5}, DECISION, to_file(path), run)
    assert json.loads(path.read_text()) == ["models:/m-1", run.run_id, 4, "test/r2"]
    assert recording.read_deployment(run.run_id)["deployment"]["where"] == f"in {path}"


def test_failed_deployment_does_not_fail_the_step(run: RunContext, tmp_path: Path) -> None:
    recording.tag_decision(run, Decision(True, "good"))
    deploying.deploy.entrypoint(FITTED, {}, DECISION, to_file(tmp_path / "no folder" / "model.json"), run)
    assert "FileNotFoundError" in recording.read_deployment(run.run_id)["deployment"]["error"]

"""What steps record in MLflow: the gate's decision, the deployment or its error, the scores and their replicates."""

from __future__ import annotations

import errno
import json
import math
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from sklearn.linear_model import LinearRegression

from mlrunner.core.column_roles import Roles
from mlrunner.core.errors import DeployError
from mlrunner.evaluation import scoring
from mlrunner.evaluation.split_data import SplitData
from mlrunner.groups.cleaning import KeepAll
from mlrunner.groups.deployer import Deployment
from mlrunner.groups.gate import Decision
from mlrunner.steps import recording
from mlrunner.steps.recording import RunContext
from mlrunner.tracking.background_writer import RECORDER

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:alembic", "ignore::ResourceWarning")
ROLES = Roles("y")
DEPLOYMENT = Deployment("olist", 3, "http://localhost:8000", "on this machine")


def test_run_without_gate_and_deployer(run: RunContext) -> None:
    recording.tag_decision(run, None)
    assert recording.read_deployment(run.run_id) == {"gate": None, "deployment": None}


def test_closed_gate(run: RunContext) -> None:
    recording.tag_decision(run, Decision(False, "too low"))
    gate = {"open": False, "reason": "too low"}
    assert recording.read_deployment(run.run_id) == {"gate": gate, "deployment": None}


def test_a_deployment_that_cannot_write_its_files_says_so_in_one_sentence(
    run: RunContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(tmp_path / "state.json"))

    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    recording.tag_decision(run, Decision(True, "good"))
    recording.run_deployment(run, fail)
    sentence = (
        f"Cannot write {tmp_path}/state.json (Read-only file system); set MLRUNNER_HOME to a folder that you may write."
    )
    assert recording.read_deployment(run.run_id)["deployment"] == {"error": sentence}
    assert caplog.records == []


def test_a_closed_gate_hides_the_error_of_an_earlier_deployment(run: RunContext) -> None:
    def fail() -> None:
        raise DeployError("no port is free.")

    recording.tag_decision(run, Decision(True, "good"))
    recording.run_deployment(run, fail)
    recording.tag_decision(run, Decision(False, "too low"))
    assert recording.read_deployment(run.run_id) == {"gate": {"open": False, "reason": "too low"}, "deployment": None}


@pytest.mark.parametrize("url", ["http://localhost:8000", None])
def test_deployment(url: str | None, run: RunContext) -> None:
    recording.tag_decision(run, Decision(True, "good"))
    recording.run_deployment(run, lambda: replace(DEPLOYMENT, url=url))
    assert recording.read_deployment(run.run_id) == {
        "gate": {"open": True, "reason": "good"},
        "deployment": {"name": "olist", "version": 3, "url": url, "where": "on this machine"},
    }


@pytest.mark.parametrize(
    ("error", "message"),
    [(DeployError("no port is free."), "no port is free."), (OSError("broken pipe"), "OSError: broken pipe")],
    ids=["ours", "other"],
)
def test_error_of_a_deployment_is_recorded_until_the_next_succeeds(
    error: Exception, message: str, run: RunContext
) -> None:
    def fail() -> Deployment:
        raise error

    recording.tag_decision(run, Decision(True, "good"))
    recording.run_deployment(run, fail)
    assert recording.read_deployment(run.run_id)["deployment"] == {"error": message}
    recording.run_deployment(run, lambda: DEPLOYMENT)
    assert recording.read_deployment(run.run_id)["deployment"]["version"] == 3


def test_scores_and_replicates(client: MlflowClient, run: RunContext) -> None:
    rows = pd.DataFrame({"a": np.arange(90.0), "y": np.arange(90.0) * 2 + np.sin(np.arange(90.0))})
    train, test = rows.iloc[:30], rows.iloc[30:]
    estimator = LinearRegression().fit(train[["a"]], train["y"])
    evaluation = scoring.evaluate_on_test(
        estimator, SplitData(train, test.head(0), test, train[[]], ROLES), "regression"
    )
    recording.log_evaluation(run, evaluation, {"fit_seconds": 1.5})
    recording.log_replicates(run, evaluation, "regression")
    RECORDER.flush()
    data = client.get_run(run.run_id).data
    scores = {name: value for name, value in evaluation.scores.items() if not math.isnan(value)}
    assert data.metrics == {**scores, "fit_seconds": 1.5}
    text = mlflow.artifacts.load_text(f"{client.get_run(run.run_id).info.artifact_uri}/{recording.REPLICATES_FILE}")
    assert list(json.loads(text)) == ["test"]


def test_run_that_saves_no_model(run: RunContext) -> None:
    assert recording.save_model(run, None, pd.DataFrame(), ROLES, KeepAll(), {}) is None

"""Inputs of a gate: the champion of a real registry is scored on the candidate's rows, and costs are measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from mlrunner.core.column_roles import Roles
from mlrunner.groups.gate import NoGate
from mlrunner.groups.gate.all_of import AllOf
from mlrunner.groups.gate.champion import Champion
from mlrunner.steps import gate_inputs
from mlrunner.steps.problem import Problem
from mlrunner.tracking import model_registry
from mlrunner.tracking.records.record import INVALID_TAG, TARGET_TAG, TASK_TAG

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:alembic", "ignore::ResourceWarning")
PROBLEM = Problem(roles=Roles("y"), task="regression", label="data")
CHAMPION = Champion(metric="r2", min_improvement=0.0, threshold=None, direction=None, split="test")
RAW = pd.DataFrame({"a": np.arange(60.0), "y": np.arange(60.0) * 2 + 1 + np.sin(np.arange(60.0))})
TEST = RAW.iloc[::3][["a", "y"]]


def fitted(alpha: float) -> Any:
    pipeline = Pipeline([("scale", StandardScaler()), ("estimator", Ridge(alpha=alpha))])
    return pipeline.fit(RAW[["a"]], RAW["y"])


def raw_rows(alpha: float) -> Any:
    """Fit a pipeline that, like those of a run, ignores columns that it does not know."""
    from sklearn.compose import ColumnTransformer

    keep = ColumnTransformer([("keep", "passthrough", ["a"])])
    return Pipeline([("keep", keep), *fitted(alpha).steps]).fit(RAW, RAW["y"])


CANDIDATE = raw_rows(0.1)


@pytest.fixture(scope="module")
def champion(client: MlflowClient) -> tuple[str, str]:
    """A registered model with the alias, and its URI."""
    experiment = client.get_experiment_by_name("tests")
    assert experiment is not None
    mlflow.set_experiment(experiment_id=experiment.experiment_id)
    with mlflow.start_run() as run:
        options = {"pip_requirements": [], "skops_trusted_types": ["numpy.dtype"]}
        info = mlflow.sklearn.log_model(raw_rows(50.0), name="model", **options)
    uri = f"models:/{info.model_id}"
    version = model_registry.register("olist", uri, run.info.run_id, {"why": "good"})
    model_registry.set_alias("olist", model_registry.CHAMPION, version)
    return "olist", uri


def test_champion_is_scored_on_the_rows_of_the_candidate(champion: tuple[str, str]) -> None:
    name, uri = champion
    inputs_of_champion = gate_inputs.gather_champion(CHAMPION, name, RAW, TEST, PROBLEM, CANDIDATE)
    assert inputs_of_champion is not None
    expected = gate_inputs.score_raw_rows(mlflow.sklearn.load_model(uri), RAW, TEST, PROBLEM)
    assert inputs_of_champion.metrics == pytest.approx(
        {f"test/{k}": value for k, value in expected.items()}, nan_ok=True
    )
    assert (inputs_of_champion.name, inputs_of_champion.problem) == ("olist/1", None)
    candidate = raw_rows(0.1)
    scores = {f"test/{k}": v for k, v in gate_inputs.score_raw_rows(candidate, RAW, TEST, PROBLEM).items()}
    inputs = gate_inputs.gather_candidate(CHAMPION, candidate, scores, RAW, TEST)
    assert inputs.rows == inputs_of_champion.rows
    assert CHAMPION.decide(inputs, inputs_of_champion).deploy
    assert not CHAMPION.decide(inputs_of_champion, inputs).deploy
    assert gate_inputs.champion_version(inputs_of_champion) == 1


def test_registered_model_keeps_its_version(champion: tuple[str, str]) -> None:
    assert model_registry.register("olist", champion[1], "run", {}) == 1


@pytest.mark.parametrize("name", [None, "missing"])
def test_nothing_is_deployed(champion: tuple[str, str], name: str | None) -> None:
    del champion
    assert gate_inputs.gather_champion(CHAMPION, name, RAW, TEST, PROBLEM, CANDIDATE) is None
    assert gate_inputs.champion_version(None) == 0


def test_gate_that_needs_neither_champion_nor_costs(champion: tuple[str, str]) -> None:
    assert gate_inputs.gather_champion(NoGate(), champion[0], RAW, TEST, PROBLEM, CANDIDATE) is None
    assert gate_inputs.gather_candidate(NoGate(), None, {"test/r2": 1.0}, RAW, TEST).metrics == {"test/r2": 1.0}


def test_costs_are_measured_if_the_gate_needs_them() -> None:
    latency = {"_target_": "mlrunner.groups.gate.cost_limits.Latency", "max_p95_ms": 5000}
    gate = AllOf(gates={"latency": latency})
    inputs_of_champion = gate_inputs.gather_candidate(gate, raw_rows(1.0), {}, RAW, TEST)
    assert 0 < inputs_of_champion.metrics["serve/p95_ms"] < 5000
    assert 0 < inputs_of_champion.metrics["model/megabytes"] < 1
    assert gate.decide(inputs_of_champion, None).deploy


def test_missing_champion_is_a_problem(champion: tuple[str, str]) -> None:
    folder = Path(mlflow.artifacts.download_artifacts(champion[1]))
    content = (folder / "MLmodel").read_text()
    (folder / "MLmodel").unlink()
    try:
        inputs_of_champion = gate_inputs.gather_champion(CHAMPION, "olist", RAW, TEST, PROBLEM, CANDIDATE)
    finally:
        (folder / "MLmodel").write_text(content)
    assert inputs_of_champion is not None
    assert inputs_of_champion.problem is not None
    decision = CHAMPION.decide(inputs_of_champion, inputs_of_champion)
    assert not decision.deploy


def test_digest_depends_on_the_index_only() -> None:
    assert gate_inputs.digest_rows(TEST) == gate_inputs.digest_rows(TEST.assign(a=0.0))
    assert gate_inputs.digest_rows(TEST) != gate_inputs.digest_rows(TEST.iloc[1:])


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (
            Problem(roles=Roles("tip"), task="regression", label=""),
            "the champion tips/1 predicts fare, not tip: deploy",
        ),
        (Problem(roles=Roles("fare"), task="classification", label=""), "does regression of fare, not classification:"),
    ],
    ids=["target", "task"],
)
def test_a_champion_that_predicts_something_else_closes_the_gate(
    problem: Problem, words: str, champion: tuple[str, str]
) -> None:
    """Its scores on the new target would be terrible, so that any model would beat it."""
    tags = {TARGET_TAG: "fare", TASK_TAG: "regression"}
    model_registry.set_alias("tips", model_registry.CHAMPION, model_registry.register("tips", champion[1], "run", tags))
    theirs = gate_inputs.gather_champion(CHAMPION, "tips", RAW, TEST, problem, CANDIDATE)
    assert theirs is not None
    decision = CHAMPION.decide(gate_inputs.GateInputs({"test/r2": 0.9}, theirs.rows), theirs)
    assert not decision.deploy
    assert words in decision.reason


def test_an_invalid_champion_need_not_be_beaten(champion: tuple[str, str], client: MlflowClient) -> None:
    run_id = model_registry.get_version(champion[0]).run_id  # type: ignore[union-attr]
    client.set_tag(run_id, INVALID_TAG, "it leaks")
    try:
        theirs = gate_inputs.gather_champion(CHAMPION, champion[0], RAW, TEST, PROBLEM, CANDIDATE)
    finally:
        client.delete_tag(run_id, INVALID_TAG)
    assert theirs is not None
    decision = CHAMPION.decide(gate_inputs.GateInputs({"test/r2": -1.0}, theirs.rows), theirs)
    assert (decision.deploy, decision.reason) == (
        True,
        "test/r2 -1 has no champion to beat: olist/1 is invalid (it leaks)",
    )


def test_a_champion_that_needs_a_column_that_the_table_lacks_closes_the_gate(champion: tuple[str, str]) -> None:
    """It would be scored with missing values, so that any model would beat it; other columns are its own affair."""
    folder = Path(mlflow.artifacts.download_artifacts(champion[1]))
    content = (folder / "MLmodel").read_text()
    columns = [ColSpec(DataType.double, name, required=name != "c") for name in ("a", "b", "c")]
    model = Model.load(str(folder))
    model.signature = ModelSignature(inputs=Schema(columns))
    model.save(str(folder / "MLmodel"))
    try:
        both = gate_inputs.gather_champion(CHAMPION, "olist", RAW.assign(b=1.0), TEST, PROBLEM, CANDIDATE)
        lacking = gate_inputs.gather_champion(CHAMPION, "olist", RAW, TEST, PROBLEM, CANDIDATE)
    finally:
        (folder / "MLmodel").write_text(content)
    assert both is not None
    assert lacking is not None
    assert both.difference is None
    decision = CHAMPION.decide(gate_inputs.GateInputs({"test/r2": 0.9}, lacking.rows), lacking)
    assert not decision.deploy
    assert "the champion olist/1 needs b, which this table lacks: deploy with another gate" in decision.reason

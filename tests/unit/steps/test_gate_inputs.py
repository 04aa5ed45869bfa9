"""What the gate judges by: the champion is scored on the candidate's own rows, out of a real registry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from mlrunner.core.column_roles import Roles
from mlrunner.groups.gate import NoGate
from mlrunner.groups.gate.all_of import AllOf
from mlrunner.groups.gate.champion import Champion
from mlrunner.steps import gate_inputs
from mlrunner.tracking import model_registry

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:alembic", "ignore::ResourceWarning")
ROLES = Roles(target="y", ignore=[], group=None, time=None)
CHAMPION = Champion(metric="r2", min_improvement=0.0, threshold=None, direction=None, split="test")
RAW = pd.DataFrame({"a": np.arange(60.0), "y": np.arange(60.0) * 2 + 1 + np.sin(np.arange(60.0))})
TEST = RAW.iloc[::3][["a", "y"]]


def fitted(alpha: float) -> Any:
    pipeline = Pipeline([("scale", StandardScaler()), ("estimator", Ridge(alpha=alpha))])
    return pipeline.fit(RAW[["a"]], RAW["y"])


def raw_rows(alpha: float) -> Any:
    """A model that, like ours, passes over the columns that it does not know."""
    from sklearn.compose import ColumnTransformer

    keep = ColumnTransformer([("keep", "passthrough", ["a"])])
    return Pipeline([("keep", keep), *fitted(alpha).steps]).fit(RAW, RAW["y"])


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A registered model with the alias, and its address."""
    home = tmp_path_factory.mktemp("registry")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{home}/mlflow.db")
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("e", artifact_location=(home / "files").as_uri()))
    with mlflow.start_run() as run:
        told = {"pip_requirements": [], "skops_trusted_types": ["numpy.dtype"]}
        info = mlflow.sklearn.log_model(raw_rows(50.0), name="model", **told)
    uri = f"models:/{info.model_id}"
    version = model_registry.register("olist", uri, run.info.run_id, {"why": "good"})
    model_registry.set_alias("olist", model_registry.CHAMPION, version)
    yield "olist", uri
    mlflow.set_tracking_uri(before)


def test_the_champion_is_scored_on_the_candidate_s_rows(champion: tuple[str, str]) -> None:
    name, uri = champion
    found = gate_inputs.of_champion(CHAMPION, name, RAW, TEST, ROLES, "regression")
    assert found is not None
    expected = gate_inputs.score(mlflow.sklearn.load_model(uri), RAW, TEST, ROLES, "regression")
    assert found.metrics == pytest.approx({f"test/{k}": value for k, value in expected.items()}, nan_ok=True)
    assert (found.name, found.problem) == ("olist/1", None)
    candidate = raw_rows(0.1)
    scores = {f"test/{k}": v for k, v in gate_inputs.score(candidate, RAW, TEST, ROLES, "regression").items()}
    told = gate_inputs.of_candidate(CHAMPION, candidate, scores, RAW, TEST)
    assert told.rows == found.rows
    assert CHAMPION.decide(told, found).deploy
    assert not CHAMPION.decide(found, told).deploy
    assert gate_inputs.version_of(found) == 1


def test_the_same_model_keeps_its_version(champion: tuple[str, str]) -> None:
    assert model_registry.register("olist", champion[1], "run", {}) == 1


@pytest.mark.parametrize("name", [None, "nobody"])
def test_nothing_is_deployed_yet(champion: tuple[str, str], name: str | None) -> None:
    del champion
    assert gate_inputs.of_champion(CHAMPION, name, RAW, TEST, ROLES, "regression") is None
    assert gate_inputs.version_of(None) == 0


def test_a_gate_that_does_not_ask_costs_nothing(champion: tuple[str, str]) -> None:
    assert gate_inputs.of_champion(NoGate(), champion[0], RAW, TEST, ROLES, "regression") is None
    assert gate_inputs.of_candidate(NoGate(), None, {"test/r2": 1.0}, RAW, TEST).metrics == {"test/r2": 1.0}


def test_costs_are_measured_where_they_are_asked_for() -> None:
    latency = {"_target_": "mlrunner.groups.gate.cost_limits.Latency", "max_p95_ms": 5000}
    gate = AllOf(gates={"latency": latency})
    found = gate_inputs.of_candidate(gate, raw_rows(1.0), {}, RAW, TEST)
    assert 0 < found.metrics["serve/p95_ms"] < 5000
    assert 0 < found.metrics["model/megabytes"] < 1
    assert gate.decide(found, None).deploy


def test_a_champion_that_is_gone_is_a_problem_and_no_first_model(champion: tuple[str, str], tmp_path: Path) -> None:
    del tmp_path
    folder = Path(mlflow.artifacts.download_artifacts(champion[1]))
    kept = (folder / "MLmodel").read_text()
    (folder / "MLmodel").unlink()
    try:
        found = gate_inputs.of_champion(CHAMPION, "olist", RAW, TEST, ROLES, "regression")
    finally:
        (folder / "MLmodel").write_text(kept)
    assert found is not None
    assert found.problem is not None
    decision = CHAMPION.decide(found, found)
    assert not decision.deploy


def test_rows_are_named_by_their_place_in_the_table() -> None:
    assert gate_inputs.digest(TEST) == gate_inputs.digest(TEST.assign(a=0.0))
    assert gate_inputs.digest(TEST) != gate_inputs.digest(TEST.iloc[1:])

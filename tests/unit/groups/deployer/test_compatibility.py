"""What differs between a deployed model and another one."""

from __future__ import annotations

import socket
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlparse

import pytest
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, Schema

from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer import Candidate
from mlrunner.groups.deployer.compatibility import (
    compare_classes,
    compare_columns,
    compare_tasks,
    describe_task,
    find_absent,
)
from mlrunner.groups.deployer.registry import RegistryDeployer
from mlrunner.groups.gate import Decision
from mlrunner.tracking.records.record import TARGET_TAG, TASK_TAG
from tests.support.mlflow_home import MlflowHome

TIP = {TARGET_TAG: "tip", TASK_TAG: "regression"}


def test_the_tags_of_a_version_come_from_the_facts_of_its_run() -> None:
    assert describe_task({"target": "tip", "task": "regression", "metric": "r2"}) == TIP
    assert describe_task({}) == {}


@pytest.mark.parametrize(
    ("tags", "target", "task", "difference"),
    [
        (TIP, "tip", "regression", None),
        ({}, "tip", "regression", None),
        (TIP, "fare", "regression", "predicts tip, not fare"),
        (TIP, "tip", "classification", "does regression of tip, not classification"),
        (TIP, "fare", "classification", "predicts tip, not fare"),
    ],
)
def test_target_and_task(tags: dict[str, str], target: str, task: str, difference: str | None) -> None:
    assert compare_tasks(tags, target, task) == difference


@pytest.mark.parametrize(
    ("theirs", "ours", "difference"),
    [
        (["b", "a"], ["a", "b"], None),
        (["a"], ["a", "b"], "takes also b"),
        (["a", "b"], ["a"], "takes no longer b"),
        (["a", "c", "d"], ["a", "b"], "takes no longer c, d and also b"),
    ],
)
def test_columns(theirs: list[str], ours: list[str], difference: str | None) -> None:
    assert compare_columns(theirs, ours) == difference


@pytest.mark.parametrize(
    ("theirs", "ours", "difference"),
    [
        ([1, 0], [0, 1], None),
        (None, [0, 1], None),
        ([0, 1], None, None),
        (["no", "yes"], ["often", "once"], "predicts the classes no, yes, not often, once"),
    ],
)
def test_classes(theirs: Any, ours: Any, difference: str | None) -> None:
    models = [SimpleNamespace() if labels is None else SimpleNamespace(classes_=labels) for labels in (theirs, ours)]
    assert compare_classes(*models) == difference


OPEN = Decision(deploy=True, reason="good enough")


def make_candidate(home: MlflowHome, target: str, task: str, *columns: str) -> Candidate:
    """Make a saved model that takes some columns."""
    run_id = home.add_run()
    model = home.add_model(run_id)
    folder = Path(urlparse(str(home.client.get_logged_model(model).artifact_location)).path)
    folder.mkdir(parents=True, exist_ok=True)
    signature = ModelSignature(inputs=Schema([ColSpec(DataType.double, name) for name in columns]))
    Model(signature=signature, model_uuid=model, flavors={"python_function": {}}).save(str(folder / "MLmodel"))
    return Candidate(f"models:/{model}", run_id, pipeline=None, facts={"target": target, "task": task})


@pytest.mark.parametrize(
    ("target", "task", "columns", "words"),
    [
        ("tip", "regression", "ba", None),
        ("fare", "regression", "ab", "trips/1 predicts tip, not fare; its clients would get wrong answers"),
        ("tip", "classification", "ab", "trips/1 does regression of tip, not classification; its clients"),
        ("tip", "regression", "ac", "the model takes no longer b and also c, unlike trips/1; its clients"),
    ],
    ids=["same", "target", "task", "columns"],
)
def test_a_version_that_answers_other_requests_is_refused_unless_it_may_replace(
    target: str, task: str, columns: str, words: str | None, mlflow_home: MlflowHome
) -> None:
    options: dict[str, Any] = {"name": "trips", "folder": str(mlflow_home.home)}
    RegistryDeployer(**options).deploy(make_candidate(mlflow_home, "tip", "regression", "a", "b"), OPEN)
    candidate = make_candidate(mlflow_home, target, task, *columns)
    if words is not None:
        with pytest.raises(DeployError) as refused:
            RegistryDeployer(**options).deploy(candidate, OPEN)
        assert str(refused.value).startswith(words)
        assert "Set deployer.name to another name, or deployer.replace=true" in str(refused.value)
        assert mlflow_home.client.get_model_version_by_alias("trips", "champion").version == 1
    deployed = RegistryDeployer(**options, replace=words is not None).deploy(candidate, OPEN)
    assert deployed is not None
    assert deployed.version == 2


def test_no_signature_is_read_from_another_server(mlflow_home: MlflowHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    uri = make_candidate(mlflow_home, "tip", "regression", "a").uri
    with socket.create_server(("127.0.0.1", 0)) as server, sqlite3.connect(mlflow_home.home / "mlflow.db") as store:
        server.settimeout(0.05)
        location = f"mlflow-artifacts://127.0.0.1:{server.getsockname()[1]}/x"
        store.execute("UPDATE logged_models SET artifact_location = ?", [location])
        store.commit()
        assert find_absent(uri, ["b"]) is None
        with pytest.raises(TimeoutError):  # no client has connected
            server.accept()
    store.close()

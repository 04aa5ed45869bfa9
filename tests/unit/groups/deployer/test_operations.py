"""Refusals of restart, rollback and stop; successes are in `tests/apps/test_deploy.py`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer import operations
from mlrunner.groups.deployer.release import RELEASE_FILE
from mlrunner.groups.deployer.state import DeploymentStore, State
from mlrunner.tracking.records.record import INVALID_TAG
from tests.support.mlflow_home import MlflowHome


@pytest.fixture
def store(tmp_path: Path) -> DeploymentStore:
    store = DeploymentStore(tmp_path / "olist")
    store.log_event("deployed", version=2)
    return store


@pytest.mark.parametrize("operation", [operations.restart, operations.rollback])
def test_deployment_that_has_not_served_is_refused(operation: Callable[[Any], Any], store: DeploymentStore) -> None:
    with pytest.raises(DeployError) as raised:
        operation(store)
    assert str(raised.value) == "Deployment olist has not served yet; deploy a run with mlrunner deploy RUN."


@pytest.mark.parametrize(("steps", "count"), [(2, "2 versions"), (1000, "1000 versions"), (0, "0 versions")])
def test_rollback_beyond_the_first_version_is_refused(steps: int, count: str, store: DeploymentStore) -> None:
    store.write_state(State("olist", "127.0.0.1", 1, 5.0, 1.0, {}, versions=[1, 2]))
    with pytest.raises(DeployError) as raised:
        operations.rollback(store, steps)
    assert str(raised.value) == f"Deployment olist cannot roll back {count}; available: 1, 2."


@pytest.mark.parametrize(("operation", "version"), [(operations.restart, 2), (operations.rollback, 1)])
def test_version_without_files_is_refused(
    operation: Callable[[Any], Any], version: int, store: DeploymentStore
) -> None:
    store.write_state(State("olist", "127.0.0.1", 1, 5.0, 1.0, {}, versions=[1, 2]))
    with pytest.raises(DeployError, match=f"The files of version {version} were deleted .*; deploy its run again"):
        operation(store)


def test_version_of_an_invalid_run_is_refused(store: DeploymentStore, mlflow_home: MlflowHome) -> None:
    run_id = mlflow_home.add_run(**{INVALID_TAG: "it leaks"})
    store.write_state(State("olist", "127.0.0.1", 1, 5.0, 1.0, {}, versions=[1, 2]))
    release = store.get_release(1)
    release.model.mkdir(parents=True)
    (release.folder / RELEASE_FILE).write_text(json.dumps({"facts": {"run_id": run_id}}))
    with pytest.raises(DeployError) as raised:
        operations.rollback(store)
    assert str(raised.value) == (
        f"Version 1 of olist is of run {run_id[:8]}, which is invalid (it leaks); roll back to another version, deploy "
        f"another run, or undo that with mlrunner tag {run_id[:8]} invalid=."
    )


def test_stop_without_a_server_changes_nothing(store: DeploymentStore) -> None:
    assert not operations.stop(store)
    state = State("olist", "127.0.0.1", 1, 5.0, 1.0, {}, versions=[2])
    store.write_state(state)
    assert not operations.stop(store)
    assert store.read_state() == state
    assert [event["event"] for event in store.read_history()] == ["deployed"]

"""Status of a deployment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlrunner.groups.deployer.deployment_status import DOWN, STOPPED, Status, read_status
from mlrunner.groups.deployer.release import Server
from mlrunner.groups.deployer.state import DeploymentStore, State


@pytest.fixture
def store(tmp_path: Path) -> DeploymentStore:
    return DeploymentStore(tmp_path / "olist")


def test_history_of_refusals_is_stopped_without_a_version(store: DeploymentStore) -> None:
    store.log_event("refused", run_id="a")
    assert read_status(store) == Status("olist", STOPPED, None)


def test_registry_shows_the_last_registered_version(store: DeploymentStore) -> None:
    for version in (1, 2):
        store.log_event("registered", version=version)
    assert read_status(store) == Status("olist", "registered", 2)


def test_stopped_deployment_shows_the_version_that_served_last(store: DeploymentStore) -> None:
    store.log_event("deployed", version=1)
    store.write_state(State("olist", "127.0.0.1", 1, 5.0, 1.0, {}, versions=[1]))
    assert read_status(store) == Status("olist", STOPPED, 1)


def test_deployment_without_its_gateway_is_down_and_says_how_to_restart_it(store: DeploymentStore) -> None:
    store.log_event("deployed", version=2)
    active, ready = (Server(version, "http://127.0.0.1:1", "h", f"t{version}") for version in (2, 1))
    store.write_state(State("olist", "127.0.0.1", 1, 5.0, 1.0, {}, [], [1, 2], active, ready, since=0.0))
    release = store.get_release(2)
    release.folder.mkdir(parents=True)
    (release.folder / "release.json").write_text(json.dumps({"facts": {"run_id": "abc"}}))
    assert read_status(store) == Status(
        name="olist",
        health=DOWN,
        version=2,
        url="http://127.0.0.1:1",
        since="1970-01-01T00:00:00+00:00",
        ready=1,
        facts={"run_id": "abc"},
        requests={},
        problem="the gateway does not run; restart it with mlrunner deploy --restart olist",
    )

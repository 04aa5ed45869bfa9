"""The next command finishes or undoes what a killed one has left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlrunner.groups.deployer import gateway_process, recovery
from mlrunner.groups.deployer.release import Server
from mlrunner.groups.deployer.state import DeploymentStore, State
from mlrunner.tracking import model_registry
from tests.support.mlflow_home import MlflowHome


class Discarding:
    """Deployer that only notes which servers have to go."""

    def __init__(self) -> None:
        self.tokens: list[str] = []

    def discard(self, token: str) -> None:
        self.tokens.append(token)


@pytest.fixture
def deployer(monkeypatch: pytest.MonkeyPatch) -> Discarding:
    created = Discarding()
    monkeypatch.setattr(recovery, "build", lambda *_: created)
    return created


@pytest.fixture
def store(tmp_path: Path) -> DeploymentStore:
    store = DeploymentStore(tmp_path / "olist")
    for version in (1, 2):
        folder = store.get_release(version).folder
        folder.mkdir(parents=True)
        (folder / "release.json").write_text(json.dumps({"facts": {"run_id": f"run-{version}"}}))
    return store


def write(store: DeploymentStore, *versions: int, unwanted: tuple[str, ...] = (), **fields: Any) -> State:
    settings = {"_target_": "unused"}
    state = State("olist", "127.0.0.1", 1, 5.0, 1.0, settings, [], list(versions), unwanted=list(unwanted), **fields)
    store.write_state(state)
    return state


@pytest.fixture
def champion(mlflow_home: MlflowHome) -> None:
    """Register versions 1 and 2, of which 2 is the champion."""
    for version in (1, 2):
        run_id = mlflow_home.add_run()
        model_registry.register("olist", f"models:/{mlflow_home.add_model(run_id)}", run_id, {})
        model_registry.set_alias("olist", model_registry.CHAMPION, version)


def read_champion() -> int | None:
    version = model_registry.get_version("olist")
    return None if version is None else int(version.version)


@pytest.mark.usefixtures("champion")
def test_a_first_deployment_that_was_killed_is_undone(store: DeploymentStore, deployer: Discarding) -> None:
    write(store, unwanted=("new",))
    assert recovery.is_needed(store)
    recovery.recover(store)
    assert (deployer.tokens, store.read_state(), read_champion()) == (["new"], None, None)
    assert not recovery.is_needed(store)


@pytest.mark.usefixtures("champion")
def test_a_server_that_was_started_goes_and_the_alias_returns(store: DeploymentStore, deployer: Discarding) -> None:
    store.log_event("deployed", version=1, run_id="run-1")
    write(store, 1, unwanted=("new",))
    recovery.recover(store)
    assert (deployer.tokens, read_champion()) == (["new"], 1)
    assert store.read_state() == write(store, 1)


@pytest.mark.usefixtures("champion")
def test_a_switch_that_was_not_recorded_is_finished(
    store: DeploymentStore, deployer: Discarding, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed: list[str] = []
    monkeypatch.setattr(gateway_process, "ensure_follows", lambda *arguments: followed.append(arguments[-1].token))
    store.log_event("deployed", version=1, run_id="run-1")
    active = Server(2, "http://127.0.0.1:1", "", "active")
    write(store, 1, 2, unwanted=("old",), active=active)
    recovery.recover(store)
    assert (deployer.tokens, read_champion(), followed) == (["old"], 2, ["active"])
    last = store.read_history()[-1]
    assert (last["event"], last["version"], last["run_id"]) == ("recovered", 2, "run-2")
    assert not recovery.is_needed(store)
    before = len(store.read_history())
    recovery.recover(store)
    assert len(store.read_history()) == before


@pytest.mark.parametrize("version", [None, 1])
def test_what_was_finished_needs_nothing(store: DeploymentStore, version: int | None) -> None:
    assert not recovery.is_needed(store)
    if version is not None:
        store.log_event("deployed", version=version, run_id="run-1")
        store.log_event("refused", run_id="run-2")
        write(store, version)
        assert not recovery.is_needed(store)

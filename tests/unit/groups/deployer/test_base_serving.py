"""The address of a deployment."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

from mlrunner.groups.deployer.local import LocalDeployer
from mlrunner.groups.deployer.release import Server
from mlrunner.groups.deployer.state import DeploymentStore, State
from tests.support.local_deployer import make_local_deployer


def write_state(folder: Path, state: State) -> None:
    store = DeploymentStore(folder / state.name)
    store.log_event("deployed", version=1)
    store.write_state(state)


def test_address_in_use_is_a_problem_unless_it_is_ours(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        deployer: LocalDeployer = make_local_deployer(tmp_path, port=port)
        start = f"deployer.port={port} cannot be listened on: "
        assert deployer.problems() == [f"{start}Address already in use; choose another port."]
        other = State("wine", "127.0.0.1", port, 5.0, 1.0, {}, [], [1], Server(1, "http://127.0.0.1:1", "h", "t"))
        write_state(tmp_path, other)
        assert deployer.problems() == [
            f"{start}deployment wine answers there; choose another port, or mlrunner stop wine."
        ]
        write_state(tmp_path, replace(other, name="olist"))
        assert deployer.problems() == []  # our own gateway listens there
        write_state(tmp_path, replace(other, name="olist", port=port + 1))
        assert deployer.problems() == [
            f"deployer.port={port}, but deployment olist answers on 127.0.0.1:{port + 1}; leave deployer.host and "
            "deployer.port as they were, or mlrunner stop olist first."
        ]


def test_first_state_has_the_settings_of_the_deployer(tmp_path: Path) -> None:
    deployer = make_local_deployer(tmp_path, port=8123)
    state = State("olist", **deployer.state_settings())
    assert (state.port, state.timeout, state.active) == (8123, 30, None)
    assert state.settings["_target_"] == "mlrunner.groups.deployer.local.LocalDeployer"
    assert LocalDeployer(**{key: value for key, value in state.settings.items() if key != "_target_"}) == deployer

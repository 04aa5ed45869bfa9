"""Every option of conf/deployer builds a deployer; `none` leaves the world as it is."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from omegaconf import DictConfig

from mlrunner.composition.resolve import resolve_group
from mlrunner.core.build import build
from mlrunner.core.errors import ProblemsError
from mlrunner.groups.deployer import Candidate, Deployer, NoDeployer
from mlrunner.groups.deployer.release import Server
from mlrunner.groups.deployer.state import DeploymentStore, State
from mlrunner.groups.gate import Decision
from tests.support.front_door import PROJECT

OPTIONS = sorted(path.stem for path in (PROJECT / "conf" / "deployer").glob("*.yaml"))
CLOSED = Decision(deploy=False, reason="below the threshold")
OPEN = Decision(deploy=True, reason="above the threshold")
CANDIDATE = Candidate("models:/m-1", "run-1", pipeline=None)
UNSAVED = Candidate("", "run-1", pipeline=None)
Compose = Callable[[list[str]], DictConfig]


def deployer(option: str, compose: Compose, folder: Path, *more: str) -> Deployer:
    told = [] if option == "none" else [f"deployer.folder={folder}", *more]
    built: Deployer = build(resolve_group(compose([f"deployer={option}", *told]), "deployer"), "deployer", Deployer)
    return built


@pytest.mark.parametrize("option", OPTIONS)
def test_no_option_deploys_what_the_gate_refused_but_all_remember_it(
    option: str, compose: Compose, tmp_path: Path
) -> None:
    assert deployer(option, compose, tmp_path).deploy(CANDIDATE, CLOSED) is None
    if option == "none":
        assert list(tmp_path.iterdir()) == []
        return
    (line,) = DeploymentStore(tmp_path / "olist").read_history()
    assert (line["event"], line["run_id"], line["reason"]) == ("refused", "run-1", "below the threshold")
    assert [file.name for file in (tmp_path / "olist").iterdir()] == ["history.jsonl"]


@pytest.mark.parametrize("decision", [CLOSED, OPEN], ids=["closed", "open"])
@pytest.mark.parametrize("candidate", [CANDIDATE, UNSAVED], ids=["saved", "not-saved"])
def test_none_deploys_nothing(
    decision: Decision, candidate: Candidate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert NoDeployer().deploy(candidate, decision) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", OPTIONS)
def test_each_but_none_has_a_registered_model(option: str, compose: Compose, tmp_path: Path) -> None:
    built = deployer(option, compose, tmp_path)
    assert built.is_none == (option == "none")
    assert built.registered_name == (None if option == "none" else "olist")


@pytest.mark.parametrize("option", [name for name in OPTIONS if name != "none"])
@pytest.mark.parametrize("name", ["a/b", "", "../x", "a b", "-a"])
def test_a_name_that_is_no_folder_is_refused(option: str, name: str, compose: Compose, tmp_path: Path) -> None:
    with pytest.raises(ProblemsError, match=r"deployer\.name="):
        deployer(option, compose, tmp_path, f"deployer.name='{name}'")


def test_a_port_that_is_taken_or_of_another_deployment_is_said(compose: Compose, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        built = deployer("local", compose, tmp_path, f"deployer.port={port}")
        told = f"deployer.port={port} cannot be listened on: "
        assert built.problems() == [f"{told}Address already in use; choose another port."]
        serving = Server(1, "http://127.0.0.1:1", "handle", "token")
        other = DeploymentStore(tmp_path / "wine")
        other.log_event("deployed", version=1)
        first = State("wine", "127.0.0.1", port, 5.0, 1.0, {}, [], [1], serving)
        other.write_state(first)
        assert built.problems() == [f"{told}deployment wine answers there; choose another port, or mlrunner stop wine."]
        mine = DeploymentStore(tmp_path / "olist")
        mine.log_event("deployed", version=1)
        mine.write_state(replace(first, name="olist"))
        assert built.problems() == []  # it is our own gateway that has it
        mine.write_state(replace(first, name="olist", port=port + 1))
        assert built.problems() == [
            f"deployer.port={port}, but deployment olist answers on 127.0.0.1:{port + 1}; leave deployer.host and "
            "deployer.port as they were, or mlrunner stop olist first."
        ]

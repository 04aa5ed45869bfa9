"""Every option of conf/deployer builds a deployer; `none` does nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import DictConfig

from mlrunner.composition.resolve import resolve_group
from mlrunner.core.build import build
from mlrunner.groups.deployer import Candidate, Deployer, NoDeployer
from mlrunner.groups.deployer.state import DeploymentStore
from mlrunner.groups.gate import Decision
from tests.support.front_door import PROJECT

OPTIONS = sorted(path.stem for path in (PROJECT / "conf" / "deployer").glob("*.yaml"))
CLOSED = Decision(deploy=False, reason="below the threshold")
OPEN = Decision(deploy=True, reason="above the threshold")
CANDIDATE = Candidate("models:/m-1", "run-1", pipeline=None)
Compose = Callable[[list[str]], DictConfig]


def deployer(option: str, compose: Compose, folder: Path, *more: str) -> Deployer:
    settings = [] if option == "none" else [f"deployer.folder={folder}", *more]
    built: Deployer = build(resolve_group(compose([f"deployer={option}", *settings]), "deployer"), "deployer", Deployer)
    return built


@pytest.mark.parametrize("option", OPTIONS)
def test_no_option_deploys_a_refused_model_and_all_log_it(option: str, compose: Compose, tmp_path: Path) -> None:
    assert deployer(option, compose, tmp_path).deploy(CANDIDATE, CLOSED) is None
    if option == "none":
        assert list(tmp_path.iterdir()) == []
        return
    (event,) = DeploymentStore(tmp_path / "olist").read_history()
    assert (event["event"], event["run_id"], event["reason"]) == ("refused", "run-1", "below the threshold")
    assert [file.name for file in (tmp_path / "olist").iterdir()] == ["history.jsonl"]


def test_none_deploys_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert NoDeployer().deploy(CANDIDATE, OPEN) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", OPTIONS)
def test_each_but_none_has_a_registered_model(option: str, compose: Compose, tmp_path: Path) -> None:
    built = deployer(option, compose, tmp_path)
    assert built.is_none == (option == "none")
    assert built.registered_name == (None if option == "none" else "olist")

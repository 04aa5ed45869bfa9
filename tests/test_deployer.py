"""Every option of conf/deployer builds a deployer; `none` leaves the world as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import DictConfig

from mlrunner.build import build
from mlrunner.composition.values import plain
from mlrunner.deployer import Deployer, NoDeployer
from mlrunner.gate import Decision

OPTIONS = sorted(path.stem for path in (Path(__file__).parents[1] / "conf" / "deployer").glob("*.yaml"))
CLOSED = Decision(deploy=False, reason="below the threshold")
OPEN = Decision(deploy=True, reason="above the threshold")


@pytest.mark.parametrize("option", OPTIONS)
def test_no_option_deploys_what_the_gate_refused(option: str, compose: Callable[[list[str]], DictConfig]) -> None:
    deployer = build(plain(compose([f"deployer={option}"]), "deployer"), "deployer", Deployer)
    assert deployer.deploy("models:/m-1", CLOSED) is None


@pytest.mark.parametrize("decision", [CLOSED, OPEN], ids=["closed", "open"])
@pytest.mark.parametrize("uri", ["models:/m-1", ""], ids=["saved", "not-saved"])
def test_none_deploys_nothing(decision: Decision, uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert NoDeployer().deploy(uri, decision) is None
    assert list(tmp_path.iterdir()) == []

"""Names, history and server arguments of registered deployers."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.core.build import build
from mlrunner.core.errors import ProblemsError
from mlrunner.groups.deployer import Candidate
from mlrunner.groups.deployer.base_registered import RegisteredDeployer
from mlrunner.groups.gate import Decision
from tests.support.local_deployer import make_local_deployer

REGISTRY = "mlrunner.groups.deployer.registry.RegistryDeployer"
UNSAVED = Candidate("", "run-1", pipeline=None)


def build_registry(folder: Path, name: str) -> RegisteredDeployer:
    config = {"_target_": REGISTRY, "name": name, "folder": str(folder)}
    deployer: RegisteredDeployer = build(config, "deployer", RegisteredDeployer)
    return deployer


@pytest.mark.parametrize("name", ["a/b", "", "../x", "a b", "-a", "a" * 61])
def test_name_that_cannot_be_a_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ProblemsError, match=r"deployer\.name="):
        build_registry(tmp_path, name)


def test_decision_of_a_closed_gate_is_logged(tmp_path: Path) -> None:
    deployer = build_registry(tmp_path, "olist")
    assert deployer.deploy(UNSAVED, Decision(deploy=False, reason="below the threshold")) is None
    (event,) = deployer.store.read_history()
    assert (event["event"], event["run_id"], event["reason"]) == ("refused", "run-1", "below the threshold")


def test_server_settings_become_arguments(tmp_path: Path) -> None:
    deployer = make_local_deployer(tmp_path, workers=2, unknown_categories="accept")
    options = dict(zip(*[iter(deployer.arguments())] * 2, strict=True))
    assert options == {
        "--workers": "2",
        "--timeout": "30.0",
        "--body-limit": "4.0",
        "--row-limit": "1000",
        "--batch-rows": "100",
        "--unknown-categories": "accept",
    }

"""Gate and deployer of a deployment."""

from __future__ import annotations

from typing import Any

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.execution import deployment_groups
from tests.support.deployed_run import CHOSE, CHOSE_NONE, FROZEN, NONE


def chosen(overrides: list[str], params: dict[str, str], frozen: dict[str, Any]) -> dict[str, Any]:
    return deployment_groups.choose_groups(overrides, params, frozen)


def test_the_gate_of_the_run_stands_where_nothing_is_given_and_the_deployer_is_today_s() -> None:
    """H6 of the attack findings: a store must not choose the address and the folder of a deployment."""
    foreign = {**FROZEN["deployer"], "host": "0.0.0.0", "folder": "/elsewhere", "unknown_categories": "accept"}
    found = chosen([], CHOSE, {**FROZEN, "deployer": foreign})
    assert found["gate"] == FROZEN["gate"]
    assert found["deployer"]["_target_"] == "mlrunner.groups.deployer.local.LocalDeployer"
    assert (found["deployer"]["name"], found["deployer"]["port"], found["deployer"]["workers"]) == ("wine", 8000, 1)
    assert (found["deployer"]["host"], found["deployer"]["unknown_categories"]) == ("127.0.0.1", "refuse")
    assert found["deployer"]["folder"] != "/elsewhere"


@pytest.mark.parametrize("option", ["../../evil", "/evil", "local,x", "{a: 1}", ""])
def test_a_run_names_an_option_of_today_s_files_only(option: str) -> None:
    with pytest.raises(ConfigError, match=r"^The run's deployer=.* is no option of conf/deployer/; add deployer="):
        chosen([], {"gate": "none", "deployer": option}, NONE)


def test_a_key_that_is_given_changes_that_key_alone() -> None:
    found = chosen(["gate.threshold=0.9", "deployer.port=9000"], CHOSE, FROZEN)
    assert found["gate"] == {**FROZEN["gate"], "threshold": 0.9}
    assert (found["deployer"]["port"], found["deployer"]["name"]) == (9000, "wine")


def test_an_option_that_is_given_begins_anew_and_follows_the_run_s_objective() -> None:
    found = chosen(["gate=champion", "deployer=registry"], CHOSE, FROZEN)
    assert found["gate"]["metric"] == "log_loss"
    assert found["gate"]["_target_"].endswith("Champion")
    assert found["deployer"]["name"] == "wine"


def test_a_run_without_a_deployer_goes_to_this_machine() -> None:
    found = chosen([], CHOSE_NONE, NONE)
    assert found["gate"] == NONE["gate"]
    assert found["deployer"]["_target_"] == "mlrunner.groups.deployer.local.LocalDeployer"
    assert (found["deployer"]["name"], found["deployer"]["port"]) == ("wine", 8000)
    assert chosen(["deployer.port=8001"], CHOSE_NONE, NONE)["deployer"]["port"] == 8001


@pytest.mark.parametrize("text", ["model=rf", "seed=2", "gate", "dataset.rows=5"])
def test_the_run_itself_cannot_be_changed(text: str) -> None:
    with pytest.raises(ConfigError, match=f"'{text}' cannot be overridden for a deployment"):
        deployment_groups.check_overrides([text])

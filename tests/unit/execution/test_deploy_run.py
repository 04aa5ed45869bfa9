"""Which gate and deployer a run of before is handed to."""

from __future__ import annotations

from typing import Any

import pytest

from mlrunner.composition.trust import TRUST_VARIABLE, refuse_foreign
from mlrunner.core.errors import ConfigError, DeployError, ProblemsError
from mlrunner.execution import deploy_run
from mlrunner.tracking.records.record import INVALID_TAG, MODEL_TAG
from tests.support.records import make_record

FROZEN: dict[str, Any] = {
    "dataset": {"_target_": "mlrunner.groups.dataset.EmbeddedDataset", "name": "wine", "task": "classification"},
    "cleaning": {"_target_": "mlrunner.groups.cleaning.KeepAll"},
    "split": {"_target_": "mlrunner.groups.split.RandomDivide"},
    "objective": {"metric": "log_loss", "direction": None, "default": {}},
    "seed": 3,
    "gate": {
        "_target_": "mlrunner.groups.gate.thresholds.Threshold",
        "metric": "f1",
        "threshold": 0.7,
        "direction": None,
        "split": "test",
        "custom": {},
    },
    "deployer": {
        "_target_": "mlrunner.groups.deployer.local.LocalDeployer",
        "name": "mine",
        "port": 8111,
        "workers": 2,
    },
}
NONE: dict[str, Any] = {
    **FROZEN,
    "gate": {"_target_": "mlrunner.groups.gate.NoGate"},
    "deployer": {"_target_": "mlrunner.groups.deployer.NoDeployer"},
}
CHOSE = {"gate": "threshold", "deployer": "local"}
CHOSE_NONE = {"gate": "none", "deployer": "none"}


def chosen(overrides: list[str], params: dict[str, str], frozen: dict[str, Any]) -> dict[str, Any]:
    return deploy_run._choose_groups(overrides, params, frozen)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"status": "FAILED"}, "Run aaaaaaaa failed, so its model is not deployed; deploy another run."),
        (
            {"tags": {MODEL_TAG: "models:/m-1", INVALID_TAG: "it leaks"}},
            "Run aaaaaaaa is invalid (it leaks); deploy another run, or undo that with mlrunner tag aaaaaaaa invalid=.",
        ),
        ({"tags": {}}, "Run aaaaaaaa saved no model; run it again with tracking.log_model=true."),
    ],
    ids=["failed", "invalid", "no model"],
)
def test_a_run_that_must_not_be_deployed_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(DeployError) as refused:
        deploy_run.deploy_record(make_record(**fields), FROZEN)
    assert str(refused.value) == message


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
        deploy_run._check_overrides([text])


@pytest.mark.parametrize("group", ["dataset", "cleaning", "split", "gate", "deployer"])
def test_a_composition_from_a_store_names_our_classes_only(group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_foreign(FROZEN, deploy_run.DEPLOYMENT_GROUPS)
    foreign = {**FROZEN, group: {"_target_": "os.system"}}
    with pytest.raises(
        ProblemsError, match=rf"{group}._target_=os.system comes from the run and is of neither mlrunner"
    ):
        refuse_foreign(foreign, deploy_run.DEPLOYMENT_GROUPS)
    monkeypatch.setenv(TRUST_VARIABLE, "mine,json")
    refuse_foreign({**FROZEN, group: {"_target_": "json.JSONDecoder"}}, deploy_run.DEPLOYMENT_GROUPS)
    with pytest.raises(ProblemsError):
        refuse_foreign({**FROZEN, group: {"_target_": "jsonx.JSONDecoder"}}, deploy_run.DEPLOYMENT_GROUPS)

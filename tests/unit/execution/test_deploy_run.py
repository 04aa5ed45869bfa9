"""Which gate and deployer a run of before is handed to."""

from __future__ import annotations

from typing import Any

import pytest

from mlrunner.composition.trust import TRUST_VARIABLE, refuse_foreign
from mlrunner.core.errors import DeployError, ProblemsError
from mlrunner.execution import deploy_run
from mlrunner.groups.stack import LocalStack
from mlrunner.tracking.records.record import INVALID_TAG, MODEL_TAG
from tests.support.deployed_run import FROZEN
from tests.support.records import make_record

STACK = LocalStack(name=None, tracking_uri="sqlite:///unused.db")


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
        deploy_run.deploy_record(make_record(**fields), FROZEN, STACK)
    assert str(refused.value) == message


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

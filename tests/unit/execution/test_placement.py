"""Steps in this process are recorded as ever; `tests/apps/test_orchestrators.py` has those in containers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.core.redaction import reveal_group
from mlrunner.execution import placement
from mlrunner.groups.stack import LocalStack
from mlrunner.groups.stack.orchestrator import Orchestrator
from mlrunner.groups.stack.orchestrator.placement import Placement

STACK = LocalStack(name="docker", tracking_uri="sqlite:////home/mlflow.db")
CONTAINERS = Placement(Orchestrator("docker", "local_docker", {}), STACK, {}, {})
SECRET = {"_target_": "x.Sql", "url": "postgresql://me:password-of-mine@db/x"}


def test_a_secret_is_hidden_from_records_and_found_in_this_process() -> None:
    hidden = placement.record_dataset(None, SECRET)
    assert "password-of-mine" not in str(hidden)
    assert reveal_group(hidden) == SECRET


@pytest.mark.parametrize(("path", "files"), [("s3://b/a.csv", ()), (None, ()), ("/data/*.csv", ("/data/*.csv",))])
def test_local_files_of_a_data_set_are_listed(path: str | None, files: tuple[str, ...]) -> None:
    assert placement._list_files({"path": path}) == files


def test_a_container_gets_the_whole_path(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert placement.record_dataset(CONTAINERS, {"path": "a.csv"}) == {"path": f"{tmp_path}/a.csv"}
    assert placement.record_dataset(CONTAINERS, {"path": "s3://b/a.csv"}) == {"path": "s3://b/a.csv"}
    assert placement.record_dataset(None, {"path": "a.csv"}) == {"path": "a.csv"}


def test_a_container_does_not_ask_the_service_of_a_deployment() -> None:
    with pytest.raises(ConfigError, match=r"^stack\.name=docker .* predicts in a container, .*; add --offline\.$"):
        placement.refuse_service(CONTAINERS)


def test_a_cached_step_took_no_time() -> None:
    times = {"start_time": None, "end_time": None}
    assert placement._read_seconds(SimpleNamespace(status="cached", **times)) is None

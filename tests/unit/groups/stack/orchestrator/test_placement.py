"""What the steps in containers reach of this machine, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.groups.stack import LocalStack
from mlrunner.groups.stack.orchestrator import Orchestrator, placement
from mlrunner.groups.stack.orchestrator.placement import require_plain

DOCKER, CLUSTER = Orchestrator("docker", "local_docker", {}), Orchestrator("team", "kubernetes", {})


@pytest.fixture(autouse=True)
def no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in placement.LOGIN:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("path", "root"),
    [("/data/a.csv", "/data/a.csv"), ("/data/*/a.csv", "/data"), ("/data/a[12].csv", "/data"), ("/data/2?", "/data")],
)
def test_a_glob_is_mounted_from_the_folder_above_it(path: str, root: str) -> None:
    assert str(placement._find_root(path)) == root


def test_the_folders_of_local_stores_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////home/.mlrunner/mlflow.db")
    stack = LocalStack(name=None, tracking_uri="sqlite:////home/.mlrunner/mlflow.db", artifacts=str(tmp_path))
    assert list(placement._list_stores(stack)) == ["/home/.mlrunner", str(tmp_path)]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.example.org")
    assert list(placement._list_stores(stack)) == []


def test_other_machines_do_not_see_files_of_this_one() -> None:
    placement._refuse_local(CLUSTER, [])
    with pytest.raises(ConfigError) as refused:
        placement._refuse_local(CLUSTER, [Path("/data/a.csv")])
    assert str(refused.value) == (
        "stack.name=team (orchestrator kubernetes) runs steps on other machines, which do not see /data/a.csv; put "
        "data and stores where each machine reaches them: dataset.path=s3://…, an MLflow server, deployer=none."
    )


@pytest.mark.parametrize("uri", ["sqlite:////home/mlflow.db", "http://mlflow.example.org", "postgresql://db/mlflow"])
def test_an_address_without_a_login_goes_to_the_steps(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert placement._locate_mlflow(CLUSTER) == {"MLFLOW_TRACKING_URI": uri}


def test_an_address_of_this_machine_alone_is_refused_unless_containers_have_its_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    with pytest.raises(ConfigError, match=r"^stack.tracking_uri=http://127.0.0.1:5000 is an address of this machine"):
        placement._locate_mlflow(DOCKER)
    own = Orchestrator("docker", "local_docker", {"run_args": {"network_mode": "host"}})
    assert placement._locate_mlflow(own) == {"MLFLOW_TRACKING_URI": "http://127.0.0.1:5000"}


PLAIN = {"_target_": "x.Table", "path": "/data/a.csv", "options": {"sep": ";"}}


@pytest.mark.parametrize(
    "recorded",
    [PLAIN, {**PLAIN, "path": "${oc.env:MLRUNNER_RESOURCES}/a.csv"}, {**PLAIN, "path": "${resources}/a.csv"}],
)
def test_a_data_set_without_secrets_is_recorded_as_it_is(recorded: dict[str, Any]) -> None:
    assert require_plain(PLAIN, recorded) == PLAIN


@pytest.mark.parametrize("value", ["***", "${oc.env:DB_URL}", "s3://***@bucket"])
def test_a_data_set_with_a_secret_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match=r"^dataset.path holds a secret or a variable of the environment, which no"):
        require_plain(PLAIN, {**PLAIN, "path": value})

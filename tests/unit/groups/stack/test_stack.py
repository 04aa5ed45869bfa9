"""Options of conf/stack and their environment variables."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from omegaconf import DictConfig

from mlrunner.composition.resolve import resolve_group
from mlrunner.core.build import build
from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.groups.stack import LocalStack, MlflowServerStack, Stack, ZenmlServerStack
from mlrunner.groups.stack.mlflow_private import ARTIFACT_ROOT
from tests.support.front_door import PROJECT

OPTIONS = sorted(path.stem for path in (PROJECT / "conf/stack").glob("*.yaml"))
OURS = ("ZENML_", "MLFLOW_", "_MLFLOW_", "MLRUNNER_STACK")
HOME = Path("/somewhere")
EMBEDDED = {"ZENML_CONFIG_PATH": "/somewhere/.mlrunner/zenml"}
SERVER = {"ZENML_CONFIG_PATH": "/somewhere/.mlrunner/zenml_server"}


@pytest.fixture(autouse=True)
def clean_environment() -> Iterator[None]:
    """Remove the variables of stores, and restore all variables after the test."""
    before = dict(os.environ)
    for name in [name for name in before if name.startswith(OURS)]:
        del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(before)


def built(compose: Callable[[list[str]], DictConfig], *overrides: str) -> Stack:
    stack: Stack = build(resolve_group(compose(list(overrides)), "stack"), "stack", Stack)
    return stack


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_sets_the_address_of_mlflow(
    option: str, compose: Callable[[list[str]], DictConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZENML_STORE_URL", "http://zenml")
    variables = built(compose, f"stack={option}").environment(HOME)
    assert variables["MLFLOW_TRACKING_URI"].startswith(("sqlite:////", "http://"))
    assert all(isinstance(value, str) for value in variables.values())


def test_an_unknown_key_of_a_stack_is_refused_with_its_name(compose: Callable[[list[str]], DictConfig]) -> None:
    with pytest.raises(ProblemsError, match=r"stack\.uri is not a key; stack has"):
        built(compose, "+stack.uri=x")


LOCAL = LocalStack(name="local_stack", tracking_uri="sqlite:////db", artifacts="/files")
ZENML = ZenmlServerStack(name=None, tracking_uri="sqlite:////db", url="http://z", api_key="k")


ON_SQLITE, ON_M = {"MLFLOW_TRACKING_URI": "sqlite:////db"}, {"MLFLOW_TRACKING_URI": "http://m"}
USER, PASSWORD = {"MLFLOW_TRACKING_USERNAME": "u"}, {"MLFLOW_TRACKING_PASSWORD": "p"}
TOKEN, ZENML_LOGIN = {"MLFLOW_TRACKING_TOKEN": "t"}, {"ZENML_STORE_URL": "http://z", "ZENML_STORE_API_KEY": "k"}
NO_URL = ZenmlServerStack(name=None, tracking_uri="sqlite:////db")


def on_server(**login: str) -> MlflowServerStack:
    return MlflowServerStack(name="s", tracking_uri="http://m", **login)


@pytest.mark.parametrize(
    ("stack", "shell", "variables"),
    [
        pytest.param(LOCAL, {}, EMBEDDED | ON_SQLITE, id="local"),
        pytest.param(LOCAL, {"ZENML_STORE_URL": "http://mine"}, ON_SQLITE, id="local beside the user's server"),
        pytest.param(LOCAL, {"ZENML_CONFIG_PATH": "/mine"}, ON_SQLITE, id="local beside the user's configuration"),
        pytest.param(on_server(), {}, EMBEDDED | ON_M, id="anonymous"),
        pytest.param(on_server(username="u", password="p"), {}, EMBEDDED | ON_M | USER | PASSWORD, id="password"),
        pytest.param(on_server(username="u"), PASSWORD, EMBEDDED | ON_M | USER, id="password in the shell"),
        pytest.param(on_server(token="t"), {}, EMBEDDED | ON_M | TOKEN, id="token"),
        pytest.param(ZENML, {}, SERVER | ZENML_LOGIN | ON_SQLITE, id="zenml server"),
        pytest.param(NO_URL, {"ZENML_STORE_URL": "http://mine"}, SERVER | ON_SQLITE, id="zenml server of the shell"),
    ],
)
def test_environment(
    stack: Stack, shell: dict[str, str], variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in shell.items():
        monkeypatch.setenv(name, value)
    assert stack.environment(HOME) == variables


@pytest.mark.parametrize(
    ("stack", "message"),
    [
        (NO_URL, "stack.url is not set; give the ZenML server's URL"),
        (on_server(username="u"), "stack.password is not set; give it, or set MLFLOW_TRACKING_PASSWORD"),
        (on_server(password="p"), "stack.username is not set; give it, or set MLFLOW_TRACKING_USERNAME"),
    ],
    ids=["no url", "no password", "no username"],
)
def test_half_an_address_is_refused(stack: Stack, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        stack.environment(HOME)


@pytest.mark.parametrize(
    ("name", "managed"), [(None, True), ("theirs", False)], ids=["null is registered", "a name is the server's"]
)
def test_named_stack_of_a_server_is_not_managed(name: str | None, managed: bool) -> None:
    assert ZenmlServerStack(name=name, tracking_uri="sqlite:////db").is_managed is managed


@pytest.mark.parametrize(
    ("uri", "location"), [(None, "/files"), ("sqlite:////db", "/files"), ("http://m", None)], ids=str
)
def test_a_server_keeps_the_files_itself(
    uri: str | None, location: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if uri is not None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert LOCAL.artifact_location == location


@pytest.mark.parametrize(
    ("artifacts", "root"),
    [("/files", "file:///files"), ("s3://bucket/files", "s3://bucket/files"), ("gs://bucket", "gs://bucket")],
)
def test_experiments_that_name_no_location_have_that_of_the_stack(artifacts: str, root: str) -> None:
    LocalStack(name="local_stack", tracking_uri="sqlite:////db", artifacts=artifacts).export_environment(HOME)
    assert os.environ[ARTIFACT_ROOT] == root


def test_one_process_keeps_to_one_stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLRUNNER_STACK", "another")
    with pytest.raises(ConfigError, match="run each stack in its own command"):
        LOCAL.activate(tmp_path)
    assert not list(tmp_path.iterdir())

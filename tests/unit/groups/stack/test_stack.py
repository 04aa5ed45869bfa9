"""The stacks' environments, what is refused before a store is opened, and the first contact with a server."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig

from mlrunner.cli.commands.env import write_exports
from mlrunner.composition.resolve import resolve_group
from mlrunner.core.build import build
from mlrunner.core.errors import ConfigError, ProblemsError, StoreError
from mlrunner.groups.stack import LocalStack, MlflowServerStack, Stack, ZenmlServerStack, reachability
from mlrunner.groups.stack.preflight import NEEDED_BYTES, prepare_folder, refuse_file_store, refuse_full_disk
from tests.support.front_door import PROJECT

OPTIONS = sorted(path.stem for path in (PROJECT / "conf/stack").glob("*.yaml"))
OURS = ("ZENML_", "MLFLOW_", "MLRUNNER_STACK")
HOME = Path("/somewhere")
EMBEDDED = {"ZENML_CONFIG_PATH": "/somewhere/.mlrunner/zenml"}
SERVER = {"ZENML_CONFIG_PATH": "/somewhere/.mlrunner/zenml_server"}


@pytest.fixture(autouse=True)
def clean_environment() -> Iterator[None]:
    """A shell that knows no store yet; what `activate` sets is taken back."""
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
def test_every_option_is_a_stack_that_says_where_mlflow_is(
    option: str, compose: Callable[[list[str]], DictConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZENML_STORE_URL", "http://zenml")
    told = built(compose, f"stack={option}").environment(HOME)
    assert told["MLFLOW_TRACKING_URI"].startswith(("sqlite:////", "http://"))
    assert all(isinstance(value, str) for value in told.values())


def test_an_unknown_key_of_a_stack_is_refused_with_its_name(compose: Callable[[list[str]], DictConfig]) -> None:
    with pytest.raises(ProblemsError, match=r"stack\.uri is not a key; stack has"):
        built(compose, "+stack.uri=x")


LOCAL = LocalStack(name="local_stack", tracking_uri="sqlite:////db", artifacts="/files")
MLFLOW = MlflowServerStack(name="s", tracking_uri="http://m")
ZENML = ZenmlServerStack(name=None, tracking_uri="sqlite:////db", url="http://z", api_key="k")


@pytest.mark.parametrize(
    ("stack", "shell", "told"),
    [
        (LOCAL, {}, {**EMBEDDED, "MLFLOW_TRACKING_URI": "sqlite:////db"}),
        (LOCAL, {"ZENML_STORE_URL": "http://mine"}, {"MLFLOW_TRACKING_URI": "sqlite:////db"}),
        (LOCAL, {"ZENML_CONFIG_PATH": "/mine"}, {"MLFLOW_TRACKING_URI": "sqlite:////db"}),
        (MLFLOW, {}, {**EMBEDDED, "MLFLOW_TRACKING_URI": "http://m"}),
        (
            MlflowServerStack(name="s", tracking_uri="http://m", username="u", password="p"),
            {},
            {
                **EMBEDDED,
                "MLFLOW_TRACKING_URI": "http://m",
                "MLFLOW_TRACKING_USERNAME": "u",
                "MLFLOW_TRACKING_PASSWORD": "p",
            },
        ),
        (
            MlflowServerStack(name="s", tracking_uri="http://m", username="u"),
            {"MLFLOW_TRACKING_PASSWORD": "p"},
            {**EMBEDDED, "MLFLOW_TRACKING_URI": "http://m", "MLFLOW_TRACKING_USERNAME": "u"},
        ),
        (
            MlflowServerStack(name="s", tracking_uri="http://m", token="t"),
            {},
            {**EMBEDDED, "MLFLOW_TRACKING_URI": "http://m", "MLFLOW_TRACKING_TOKEN": "t"},
        ),
        (
            ZENML,
            {},
            {
                **SERVER,
                "ZENML_STORE_URL": "http://z",
                "ZENML_STORE_API_KEY": "k",
                "MLFLOW_TRACKING_URI": "sqlite:////db",
            },
        ),
        (
            ZenmlServerStack(name=None, tracking_uri="sqlite:////db"),
            {"ZENML_STORE_URL": "http://mine"},
            {**SERVER, "MLFLOW_TRACKING_URI": "sqlite:////db"},
        ),
    ],
    ids=[
        "local",
        "local beside the user's server",
        "local beside the user's configuration",
        "anonymous",
        "password",
        "password in the shell",
        "token",
        "zenml server",
        "zenml server of the shell",
    ],
)
def test_environment(
    stack: Stack, shell: dict[str, str], told: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in shell.items():
        monkeypatch.setenv(name, value)
    assert stack.environment(HOME) == told


@pytest.mark.parametrize(
    ("stack", "message"),
    [
        (ZenmlServerStack(name=None, tracking_uri="sqlite:////db"), "stack.url is not set"),
        (MlflowServerStack(name="s", tracking_uri="http://m", username="u"), "stack.password is not set"),
        (MlflowServerStack(name="s", tracking_uri="http://m", password="p"), "stack.username is not set"),
    ],
    ids=["no url", "no password", "no username"],
)
def test_half_an_address_is_refused(stack: Stack, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        stack.environment(HOME)
    assert " set " in str(caught.value).split(";")[1], "says what to change"


@pytest.mark.parametrize(
    ("name", "ours"), [(None, True), ("theirs", False)], ids=["null is registered", "a name is the server's"]
)
def test_a_named_stack_of_a_server_is_not_ours(name: str | None, ours: bool) -> None:
    assert ZenmlServerStack(name=name, tracking_uri="sqlite:////db").is_ours is ours


@pytest.mark.parametrize(
    ("uri", "location"), [(None, "/files"), ("sqlite:////db", "/files"), ("http://m", None)], ids=str
)
def test_a_server_keeps_the_files_itself(
    uri: str | None, location: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if uri is not None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert LOCAL.artifact_location == location


def test_one_process_keeps_to_one_stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLRUNNER_STACK", "another")
    with pytest.raises(ConfigError, match="run each stack in its own command"):
        LOCAL.activate(tmp_path)
    assert not list(tmp_path.iterdir())


# The folder


def test_own_folder_is_made_once_and_marked(tmp_path: Path) -> None:
    assert prepare_folder(tmp_path / "new") == prepare_folder(tmp_path / "new") == tmp_path / "new/.mlrunner"
    assert (tmp_path / "new/.mlrunner/home").read_text() == str(tmp_path / "new")


def test_a_moved_project_is_noticed(tmp_path: Path) -> None:
    prepare_folder(tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / "new")
    with pytest.raises(StoreError, match=rf"were made at {tmp_path}/old and record that path; move the project back"):
        prepare_folder(tmp_path / "new")


def test_a_mark_that_was_cut_short_is_no_other_place(tmp_path: Path) -> None:
    (prepare_folder(tmp_path) / "home").write_text("")
    prepare_folder(tmp_path)


def test_a_home_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"Cannot write .*file/\.mlrunner \(Not a directory\); set MLRUNNER_HOME"):
        prepare_folder(tmp_path / "file")


# The disk


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"mounting a small disk needs root: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_refused_with_the_numbers(tiny_disk: Path) -> None:
    with pytest.raises(StoreError, match=r"1 MB are free at .*, 50 MB are needed; free some, or set MLRUNNER_HOME"):
        refuse_full_disk(tiny_disk / "not/yet/there")
    with pytest.raises(StoreError, match="No disk space"):
        LOCAL.activate(tiny_disk)


def test_a_disk_with_room_is_taken(tmp_path: Path) -> None:
    assert NEEDED_BYTES == 50 * 2**20
    refuse_full_disk(tmp_path / "not/yet/there")


# The address of MLflow's store


@pytest.mark.parametrize("uri", ["file:./mlruns", "file:///tmp/mlruns", "./mlruns", "mlruns", "/tmp/mlruns"])
def test_a_folder_is_no_store(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=rf"stack\.tracking_uri={uri} is a folder.*MLFLOW_ALLOW_FILE_STORE=true"):
        refuse_file_store(uri)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    refuse_file_store(uri)


@pytest.mark.parametrize("uri", ["sqlite:////db", "http://m", "https://m", "postgresql://u:p@h/db", "databricks"])
def test_databases_and_servers_are_stores(uri: str) -> None:
    refuse_file_store(uri)


# The first contact

ZENML_INFO = b'{"name": "default", "auth_scheme": "OAUTH2_PASSWORD_BEARER"}'


@pytest.fixture
def answering() -> Iterator[Callable[[int, bytes], str]]:
    """A server that answers every request alike; gives its address."""
    started: list[HTTPServer] = []

    def start(status: int, body: bytes) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                return

        started.append(HTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=started[-1].serve_forever, args=[0.01], daemon=True).start()
        return f"http://127.0.0.1:{started[-1].server_port}"

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "page"), [(200, b"hello"), (401, None), (404, b""), (503, None)], ids=lambda case: repr(case)
)
def test_any_answer_is_contact(status: int, page: bytes | None, answering: Callable[[int, bytes], str]) -> None:
    assert reachability.fetch_page(answering(status, b"hello"), "stack.tracking_uri") == page


def test_a_login_in_the_address_is_neither_asked_nor_told(answering: Callable[[int, bytes], str]) -> None:
    address = answering(200, b"hello").replace("http://", "http://me:swordfish@")
    assert reachability.fetch_page(address, "stack.tracking_uri") == b"hello"
    assert "swordfish" not in reachability.remove_login(address)


@pytest.mark.parametrize(
    ("url", "kind", "message"),
    [
        ("http://127.0.0.1:1", StoreError, r"=http://127.0.0.1:1 does not answer \(Connection refused\); start"),
        ("http://me:swordfish@127.0.0.1:1", StoreError, "=http://127.0.0.1:1 does not answer"),
        ("http://no-such-host.invalid", StoreError, "does not answer"),
        ("http://127.0.0.1:port", ConfigError, "is not a server's address; write it like"),
        ("127.0.0.1:5000", ConfigError, "is not a server's address; write it like"),
    ],
    ids=["refused", "refused with login", "unknown host", "no port", "no scheme"],
)
def test_no_answer_is_one_sentence(
    url: str, kind: type[Exception], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    with pytest.raises(kind, match=message) as caught:
        reachability.fetch_page(url, "stack.tracking_uri")
    assert str(caught.value).startswith("stack.tracking_uri=")


@pytest.mark.parametrize(("status", "body"), [(200, ZENML_INFO), (401, b""), (503, b"")], ids=["info", "401", "503"])
def test_what_may_be_zenml_is_left_to_zenml(status: int, body: bytes, answering: Callable[[int, bytes], str]) -> None:
    reachability.refuse_other_server(answering(status, body), "stack.url")


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"<html>"), (200, b"[1]"), (200, b'{"a": 1}'), (404, b"")], ids=lambda case: repr(case)
)
def test_another_server_is_not_zenml(status: int, body: bytes, answering: Callable[[int, bytes], str]) -> None:
    with pytest.raises(StoreError, match=r"stack\.url=http://127.* answers, but is not a ZenML server"):
        reachability.refuse_other_server(answering(status, body), "stack.url")


def test_a_database_is_no_zenml_server() -> None:
    with pytest.raises(ConfigError, match=r"stack\.url=mysql://host/db is not a server's address"):
        reachability.refuse_other_server("mysql://root:swordfish@host/db", "stack.url")


# What the shell is told


def test_a_secret_is_exported_once_and_everything_is_quoted() -> None:
    opened = {"ZENML_CONFIG_PATH": "/a b", "ZENML_STORE_API_KEY": "k;rm", "MLFLOW_TRACKING_PASSWORD": "p", "HOME": "/"}
    assert write_exports({"MLFLOW_TRACKING_PASSWORD": "p"}, opened) == [
        "export ZENML_CONFIG_PATH='/a b'",
        "export ZENML_STORE_API_KEY='k;rm'",
    ]

"""Whole runs against real servers on loopback: MLflow's with a password, and ZenML's."""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from sklearn.datasets import load_wine

from mlrunner.core.loopback import free_port
from tests.support.front_door import PROJECT, CommandResult, environment, front_door, run_program
from tests.support.web_servers import mlflow_server, serving
from tests.support.zenml_server import Zenml

pytestmark = [pytest.mark.slow, pytest.mark.services]
WINE = ("dataset=wine", "model=ridge", "output=json")
STEPS = {"ingest", "clean", "divide", "train", "evaluate", "gate", "deploy"}
USER, PASSWORD = "admin", "swordfish-and-chips"


def needs(module: str, extra: str) -> None:
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed; it comes with {extra}")


def assert_refused(result: CommandResult, *words: str) -> None:
    """One sentence, exit code 2, no traceback."""
    assert result.code == 2, result.err
    assert result.err.startswith("mlrunner: ")
    assert len(result.err.strip().splitlines()) == 1, result.err
    for word in words:
        assert word in result.err


# MLflow


AUTH = """
[mlflow]
default_permission = READ
database_uri = sqlite:///basic_auth.db
admin_username = admin
# one right password is hashed once, not for each of some 500 requests
auth_cache_ttl_seconds = 600
"""


@pytest.fixture(scope="module")
def guarded_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that asks for a password."""
    needs("flask_wtf", "mlflow[auth]")
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "auth.ini").write_text(AUTH)
    secrets = {"MLFLOW_FLASK_SERVER_SECRET_KEY": "any", "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD}
    configured = {"MLFLOW_AUTH_CONFIG_PATH": f"{folder}/auth.ini"}
    with mlflow_server(folder, "--app-name", "basic-auth", **secrets, **configured) as url:
        yield url


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., MlflowClient]]:
    """Gives a client of a server, in this process, for one test."""
    before = mlflow.get_tracking_uri()

    def connect(url: str, user: str | None = None, password: str | None = None) -> MlflowClient:
        for name, value in {"USERNAME": user, "PASSWORD": password}.items():
            if value is not None:
                monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", value)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
        mlflow.set_tracking_uri(url)
        return MlflowClient(url)

    yield connect
    mlflow.set_tracking_uri(before)


def assert_whole(client: MlflowClient, outcome: dict[str, Any]) -> None:
    """The run, its files, its pictures and its model are on the server, and the model answers."""
    run = client.get_run(outcome["run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.metrics["validation/accuracy"] == outcome["objective"]
    assert run.info.artifact_uri.startswith("mlflow-artifacts:/")
    assert {"config.yaml", "environment", ".hydra", "plots"} <= {
        file.path for file in client.list_artifacts(run.info.run_id)
    }
    pictures = {Path(file.path).stem for file in client.list_artifacts(run.info.run_id, "plots")}
    assert {"confusion_matrix", "feature_importance"} <= pictures
    rows = load_wine(as_frame=True).data
    predicted = mlflow.pyfunc.load_model(outcome["model_uri"]).predict(rows)
    assert (predicted == load_wine().target).mean() > 0.9


@pytest.fixture(scope="module")
def guarded_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that uses the server with a password."""
    return tmp_path_factory.mktemp("guarded_home")


@pytest.fixture(scope="module")
def guarded_stack(guarded_mlflow: str) -> list[str]:
    """What names the server and the user, but not the password."""
    return ["stack=mlflow_server", f"stack.tracking_uri={guarded_mlflow}", f"stack.username={USER}"]


@pytest.fixture(scope="module")
def guarded_run(guarded_stack: list[str], guarded_home: Path) -> Any:
    """One finished run on the server with a password."""
    result = front_door(guarded_home, *guarded_stack, f"stack.password={PASSWORD}", *WINE)
    assert result.code == 0, result.err
    return result.json


def test_a_run_on_an_mlflow_server_with_a_password_is_whole_and_keeps_it_secret(
    guarded_run: Any, guarded_mlflow: str, credentials: Callable[..., MlflowClient], tmp_path: Path
) -> None:
    client = credentials(guarded_mlflow, USER, PASSWORD)
    assert_whole(client, guarded_run)
    assert_kept_secret(client, guarded_run["run_id"], PASSWORD, tmp_path)


def test_a_wrong_or_missing_password_is_refused(
    guarded_stack: list[str], guarded_mlflow: str, guarded_run: Any, guarded_home: Path
) -> None:
    del guarded_run
    wrong = front_door(guarded_home, *guarded_stack, "stack.password=guess", *WINE)
    assert_refused(wrong, "does not accept stack.username and stack.password", guarded_mlflow)
    assert_refused(front_door(guarded_home, *guarded_stack, *WINE), "stack.password is not set")
    anonymous = front_door(guarded_home, *guarded_stack[:2], *WINE)
    assert_refused(anonymous, "does not accept stack.username and stack.password")


def assert_kept_secret(client: MlflowClient, run_id: str, secret: str, folder: Path) -> None:
    """No name, parameter, tag or file of a run holds a secret."""
    run = client.get_run(run_id)
    assert secret not in json.dumps(run.to_dictionary())
    copied = folder / "copied"
    copied.mkdir()
    mlflow.artifacts.download_artifacts(run_id=run_id, dst_path=str(copied), tracking_uri=mlflow.get_tracking_uri())
    files = [path for path in copied.rglob("*") if path.is_file()]
    assert any(path.name == "overrides.yaml" for path in files)
    assert [str(path) for path in files if secret.encode() in path.read_bytes()] == []


def shell(home: Path, stack: str, commands: str) -> str:
    """Run commands as a user would, after `eval "$(mlrunner env)"`."""
    defined = f'mlrunner() {{ "{sys.executable}" -m mlrunner "$@"; }}'
    script = f'set -e; {defined}; eval "$(mlrunner env {stack})"; {commands}'
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    result = subprocess.run(
        ["bash", "-c", script],
        cwd=PROJECT,
        env=environment(home, PATH=path, COLUMNS="200"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # where zenml prints its tables
        text=True,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def test_an_mlflow_server_that_is_not_there_is_refused_at_once(tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    began = time.monotonic()
    result = front_door(tmp_path, "stack=mlflow_server", f"stack.tracking_uri={address}", *WINE)
    assert_refused(result, f"stack.tracking_uri={address}", "does not answer (Connection refused); start the server")
    assert time.monotonic() - began < 30, "MLflow's own retries take minutes"


def test_a_server_of_another_kind_is_no_mlflow(zenml: Zenml, tmp_path: Path) -> None:
    result = front_door(tmp_path, "stack=mlflow_server", f"stack.tracking_uri={zenml.url}", *WINE)
    assert_refused(result, f"stack.tracking_uri={zenml.url} does not open")


# ZenML

REGISTER = """
import sys
from zenml.client import Client
from zenml.enums import StackComponentType as Kind
client = Client()
settings = dict(zip(("tracking_uri", "tracking_username", "tracking_password"), sys.argv[1:], strict=True))
tracker = client.create_stack_component("theirs_tracker", "mlflow", Kind.EXPERIMENT_TRACKER, settings)
defaults = {Kind.ORCHESTRATOR: "default", Kind.ARTIFACT_STORE: "default"}
client.create_stack("theirs", {**defaults, Kind.EXPERIMENT_TRACKER: tracker.id})
"""


@pytest.fixture(scope="module")
def zenml(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zenml]:
    """ZenML's own server, on SQLite."""
    needs("secure", "zenml[server]")
    folder = tmp_path_factory.mktemp("zenml")
    configured = {
        "ZENML_CONFIG_PATH": f"{folder}/config",
        "ZENML_STORE_TYPE": "sql",
        "ZENML_STORE_URL": f"sqlite:///{folder}/zenml.db",
        "ZENML_SERVER_AUTO_ACTIVATE": "true",
        "ZENML_DEFAULT_USER_PASSWORD": PASSWORD,
        "ZENML_ANALYTICS_OPT_IN": "false",
    }
    with serving(folder, "uvicorn", "zenml.zen_server.zen_server_api:app", **configured) as url:
        server = Zenml(url, PASSWORD)
        server.log_in()
        yield server


@pytest.fixture(scope="module")
def key(zenml: Zenml) -> str:
    """The key of a service account of the server."""
    return zenml.new_key()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that uses the server."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def served(zenml: Zenml, key: str, home: Path) -> Any:
    """One finished run on the server's `local_stack`, which it registers; in a user's home with a configuration."""
    mine = home / "user/.config/zenml"
    mine.mkdir(parents=True)
    (mine / "config.yaml").write_text("user_id: 00000000-0000-0000-0000-000000000000\n")
    arguments = ["stack=zenml_server", f"stack.url={zenml.url}", f'stack.api_key="{key}"']
    result = front_door(home, *arguments, *WINE, HOME=str(home / "user"), XDG_CONFIG_HOME=str(home / "user/.config"))
    assert result.code == 0, result.err
    return result.json


def test_a_run_is_on_the_zenml_server(served: Any, zenml: Zenml) -> None:
    run = zenml.run(served["pipeline_run"])
    assert run["status"] == "completed"
    assert run["stack"] == "local_stack"
    assert set(run["steps"]) == STEPS
    assert set(run["steps"].values()) <= {"completed", "cached"}
    assert run["outputs"]["divide"] == ["folds", "test", "train", "validation"]
    assert run["outputs"]["train"] == ["model"]


def test_components_are_registered_on_the_zenml_server_once(served: Any, zenml: Zenml, key: str, home: Path) -> None:
    del served
    secrets = {"ZENML_STORE_URL": zenml.url, "ZENML_STORE_API_KEY": key}
    described = front_door(home, "stack", "describe", "stack=zenml_server", **secrets)
    assert described.code == 0, described.err
    for name in ("local_stack", "mlflow_tracker", "mlflow_deployer", "mlflow_registry"):
        assert name in described.out
        kind = "stacks" if name == "local_stack" else "components"
        assert len(zenml.ask(f"/{kind}?name={name}")["items"]) == 1


def test_the_users_own_zenml_configuration_is_untouched(served: Any, home: Path) -> None:
    del served
    files = {path.relative_to(home / "user"): path.read_text() for path in (home / "user").rglob("*zenml*/*")}
    assert files == {
        Path(".config/zenml/config.yaml"): "user_id: 00000000-0000-0000-0000-000000000000\n",
    }


def test_the_key_is_in_no_record(
    served: Any, key: str, home: Path, credentials: Callable[..., MlflowClient], tmp_path: Path
) -> None:
    client = credentials(f"sqlite:///{home}/.mlrunner/mlflow.db")
    assert_kept_secret(client, served["run_id"], key.rstrip("="), tmp_path)
    folder = home / ".mlrunner/zenml_server"
    assert folder.stat().st_mode & 0o077 == 0, "ZenML keeps the key there"


def test_a_named_stack_brings_its_own_tracker(
    served: Any,
    zenml: Zenml,
    key: str,
    home: Path,
    guarded_mlflow: str,
    credentials: Callable[..., MlflowClient],
    tmp_path: Path,
) -> None:
    del served
    secrets = {"ZENML_STORE_URL": zenml.url, "ZENML_STORE_API_KEY": key}
    printed = front_door(home, "env", "stack=zenml_server", f"stack.url={zenml.url}", f'stack.api_key="{key}"').out
    variables = dict(word.split("=", 1) for word in shlex.split(printed) if word != "export")
    registered = run_program(home, REGISTER, guarded_mlflow, USER, PASSWORD, **variables)
    assert registered.code == 0, registered.err
    result = front_door(home, "stack=zenml_server", "stack.name=theirs", *WINE, "model.estimator.alpha=3", **secrets)
    assert result.code == 0, result.err
    assert zenml.run(result.json["pipeline_run"])["stack"] == "theirs"
    client = credentials(guarded_mlflow, USER, PASSWORD)
    assert_whole(client, result.json)
    assert_kept_secret(client, result.json["run_id"], key.rstrip("="), tmp_path)


def test_the_plain_commands_see_the_zenml_server(served: Any, zenml: Zenml, key: str, home: Path) -> None:
    stack = f"stack=zenml_server stack.url={zenml.url} 'stack.api_key=\"{key}\"'"
    commands = f"zenml pipeline runs list --output=json && mlflow runs describe --run-id {served['run_id']}"
    output = shell(home, stack, commands)
    assert served["pipeline_run"] in output
    assert '"validation/accuracy"' in output
    assert key.rstrip("=") not in output


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["stack.api_key=wrong"], ["stack.api_key is not accepted by {url}", "ZENML_STORE_API_KEY"]),
        ([], ["stack.api_key is not accepted by {url}"]),
        (["stack.url=http://127.0.0.1:1"], ["stack.url=http://127.0.0.1:1 does not answer (Connection refused)"]),
    ],
    ids=["wrong key", "no key", "nothing there"],
)
def test_a_wrong_zenml_server_is_refused_at_once(
    overrides: list[str], words: list[str], zenml: Zenml, tmp_path: Path
) -> None:
    began = time.monotonic()
    result = front_door(tmp_path, "stack=zenml_server", f"stack.url={zenml.url}", *WINE, *overrides)
    assert_refused(result, *[word.format(url=zenml.url) for word in words])
    assert time.monotonic() - began < 30, "ZenML's own retries take half a minute"


def test_an_unknown_stack_of_the_zenml_server_is_refused_with_the_nearest_name(
    served: Any, zenml: Zenml, key: str, home: Path
) -> None:
    del served
    secrets = {"ZENML_STORE_URL": zenml.url, "ZENML_STORE_API_KEY": key}
    result = front_door(home, "stack=zenml_server", "stack.name=local_stak", *WINE, **secrets)
    assert_refused(result, f"stack.name=local_stak is not a stack of {zenml.url}", "Did you mean 'local_stack'?")


def test_a_key_that_was_withdrawn_is_refused(served: Any, zenml: Zenml, home: Path) -> None:
    """ZenML remembers what a key once opened; another key must not open it too."""
    del served
    secrets = {"ZENML_STORE_URL": zenml.url, "ZENML_STORE_API_KEY": "wrong"}
    assert_refused(front_door(home, "stack=zenml_server", *WINE, **secrets), "stack.api_key is not accepted")

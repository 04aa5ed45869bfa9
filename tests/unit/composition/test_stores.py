"""The store of the runs is the one of the environment, of the default stack, or of the chosen stack."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from mlrunner.composition.stores import open_store, tracking_uri
from mlrunner.core.errors import StoreError
from mlrunner.tracking.records.sqlite_store import SqliteStore


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("MLFLOW_TRACKING_URI", "MLRUNNER_STACK"):
        monkeypatch.setenv(name, "-")
        monkeypatch.delenv(name)
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    return tmp_path


def test_the_default_stack_is_read_from_its_file(home: Path) -> None:
    assert tracking_uri(home) == f"sqlite:///{home}/.mlrunner/mlflow.db"


def test_the_environment_comes_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////elsewhere/mlflow.db")
    assert tracking_uri(home, ["stack=mlflow_server"]) == "sqlite:////elsewhere/mlflow.db"


def test_a_store_that_does_not_exist_is_not_created(home: Path) -> None:
    store = open_store(home)
    assert isinstance(store, SqliteStore)
    assert store.find_first("") is None
    assert list(home.iterdir()) == []


def test_a_server_that_does_not_answer_is_one_sentence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        uri = f"http://127.0.0.1:{probe.getsockname()[1]}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(StoreError, match=f"^stack.tracking_uri={uri} does not answer"):
        open_store(home)

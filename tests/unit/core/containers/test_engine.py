"""Errors of Docker's engine as sentences."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from mlrunner.core.containers.engine import explain, open_client, push_image
from mlrunner.core.errors import DeployError
from tests.support.released import BASE, remove


@pytest.mark.parametrize("host", ["unix:///nowhere.sock", "tcp://127.0.0.1:1"])
def test_it_is_one_sentence(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(DeployError, match=f"does not answer at DOCKER_HOST={host}; start it"), open_client():
        raise AssertionError


def test_a_full_disk_is_one_sentence() -> None:
    error = SimpleNamespace(explanation="write /x:\n no space left on device")
    assert explain(error) == (  # type: ignore[arg-type]
        "The disk of Docker's engine is full; free some space, for example with `docker system prune`."
    )


def test_a_full_temporary_folder_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlrunner.core.containers.engine._client", lambda: SimpleNamespace(close=lambda: None))
    with pytest.raises(DeployError, match=r"disk is full \(/tmp/x\)"), open_client():
        raise OSError(28, "No space left on device", "/tmp/x")


def test_other_mistakes_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlrunner.core.containers.engine._client", lambda: SimpleNamespace(close=lambda: None))
    with pytest.raises(FileNotFoundError), open_client():
        raise FileNotFoundError("x")


@pytest.mark.docker
@pytest.mark.timeout(300)
def test_refused_push_is_one_sentence(client: Any) -> None:
    client.images.get(BASE).tag("localhost:1/team/x", "1")
    sentence = r"^localhost:1/team/x:1 cannot be pushed \(.*\); is `docker login` needed\?$"
    try:
        with pytest.raises(DeployError, match=sentence):
            push_image(client, "localhost:1/team/x:1")
    finally:
        remove(client, "localhost:1/team/x")

"""Start and test of a new server; whole rollouts are in `tests/apps/test_deploy.py`."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer import rollout
from mlrunner.groups.deployer.release import Release, Server
from mlrunner.groups.deployer.state import DeploymentStore
from tests.support.version_server import VersionServer


class ThreadBackend:
    """Start servers as threads.

    Args:
        predictions: Answers of the servers.
        failures: Number of first starts whose server ends with "cannot listen".
        start_timeout: Seconds until a server must answer.
    """

    def __init__(self, predictions: list[Any] | None, failures: int = 0, start_timeout: float = 5.0) -> None:
        self._predictions, self._failures, self.start_timeout = predictions, failures, start_timeout
        self.starts = 0
        self.running: dict[str, VersionServer] = {}

    def start(self, release: Release, token: str) -> Server:
        self.starts += 1
        if self.starts <= self._failures:
            return Server(release.version, "http://127.0.0.1:1", "ended", token)
        server = VersionServer(token, self._predictions)
        self.running[token] = server
        return Server(release.version, server.__enter__(), "thread", token)

    def is_alive(self, server: Server) -> bool:
        return server.token in self.running

    def stop(self, server: Server) -> None:
        self.discard(server.token)

    def discard(self, token: str) -> None:
        running = self.running.pop(token, None)
        if running is not None:
            running.__exit__()

    def log(self, server: Server) -> str:
        return "cannot listen on port 1" if server.handle == "ended" else ""

    def state_settings(self) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": 1, "timeout": 5.0, "body_limit": 1.0, "settings": {}}


class InterruptedBackend(ThreadBackend):
    """Receive Ctrl-C while a server is stopped.

    Args:
        twice: Receive it again when the server is looked for.
    """

    def __init__(self, twice: bool) -> None:
        super().__init__(None)
        self.twice = twice

    def stop(self, server: Server) -> None:
        raise KeyboardInterrupt(server)

    def discard(self, token: str) -> None:
        if self.twice:
            raise KeyboardInterrupt
        super().discard(token)


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """Write a release whose model predicts 1.0 and 2.0 for its input example."""
    release = Release("olist", 3, tmp_path)
    release.model.mkdir()
    (release.model / "serving_input_example.json").write_text("{}")
    (tmp_path / "release.json").write_text(json.dumps({"facts": {}, "expected": [1.0, 2.0]}))
    return release


def test_server_runs_within_the_block_and_stays(release: Release) -> None:
    backend = ThreadBackend([1.0, 2.0000001])
    with rollout.running_server(backend, release, [].append) as server:
        assert backend.is_alive(server)
    assert backend.is_alive(server)
    backend.stop(server)


def test_a_token_is_announced_before_its_server_starts(release: Release) -> None:
    backend, events = ThreadBackend([1.0, 2.0], failures=1), list[tuple[str, int]]()
    with rollout.running_server(backend, release, lambda token: events.append((token, backend.starts))) as server:
        backend.stop(server)
    assert events[-1] == (server.token, 1)
    assert [starts for _, starts in events] == [0, 1]


def test_server_is_stopped_when_the_block_fails(release: Release) -> None:
    backend = ThreadBackend([1.0, 2.0])
    with pytest.raises(KeyboardInterrupt), rollout.running_server(backend, release, [].append):
        raise KeyboardInterrupt
    assert backend.running == {}


@pytest.mark.parametrize(
    ("predictions", "sentence"),
    [
        (
            [1.0, 2.1],
            "Version 3 predicts [1.0, 2.1] for its input example, but the model in memory predicts [1.0, 2.0]; "
            "are the same libraries installed where it serves?",
        ),
        (None, "Version 3 does not answer its own input example: 500 the model failed"),
    ],
    ids=["other predictions", "error"],
)
def test_failed_smoke_test_stops_the_server(predictions: list[Any] | None, sentence: str, release: Release) -> None:
    backend = ThreadBackend(predictions)
    with pytest.raises(DeployError) as raised, rollout.running_server(backend, release, [].append):
        raise AssertionError
    assert str(raised.value) == sentence
    assert backend.running == {}


def test_start_is_repeated_while_the_port_is_in_use(release: Release) -> None:
    backend = ThreadBackend([1.0, 2.0], failures=rollout.START_ATTEMPTS - 1)
    with rollout.running_server(backend, release, [].append) as server:
        backend.stop(server)
    assert backend.starts == rollout.START_ATTEMPTS
    backend = ThreadBackend([1.0, 2.0], failures=rollout.START_ATTEMPTS)
    with (
        pytest.raises(DeployError, match="Version 3 of olist does not start: cannot listen on port 1"),
        rollout.running_server(backend, release, [].append),
    ):
        raise AssertionError


def test_server_that_does_not_answer_in_time_is_stopped(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = ThreadBackend([1.0, 2.0], start_timeout=0.1)
    monkeypatch.setattr(rollout, "_is_answering", lambda _: False)
    with (
        pytest.raises(DeployError, match=r"did not answer within 0\.1 s; set deployer\.start_timeout higher"),
        rollout.running_server(backend, release, [].append),
    ):
        raise AssertionError
    assert backend.running == {}


def test_a_server_whose_stop_is_interrupted_is_gone_or_recorded(release: Release, tmp_path: Path) -> None:
    store = DeploymentStore(tmp_path / "olist")
    store.folder.mkdir()
    backend = InterruptedBackend(twice=False)
    with pytest.raises(KeyboardInterrupt):
        rollout.roll_out(backend, store, release, [3])
    assert (backend.running, store.read_state()) == ({}, None)

    backend.twice = True
    with pytest.raises(KeyboardInterrupt):
        rollout.roll_out(backend, store, release, [3])
    state = store.read_state()
    assert state is not None
    assert state.unwanted == list(backend.running) != []
    backend.twice = False
    backend.discard(*state.unwanted)


@pytest.mark.parametrize(
    ("predictions", "expected", "are_close"),
    [
        ([1.0, 2], [1.0000001, 2], True),
        ([1.0], [1.00001], False),
        ([1.0], [1.0, 1.0], False),
        (["a", True], ["a", True], True),
        (["a"], ["b"], False),
        ([None], [math.nan], True),
        ([1], [1.0], True),
        ([1.0], [math.nan], False),
    ],
)
def test_predictions_are_compared_up_to_rounding(predictions: list[Any], expected: list[Any], are_close: bool) -> None:
    assert rollout.are_close(predictions, expected) == are_close

"""A server that is gone, and one that answers in whatever way."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from mlrunner.core import process
from mlrunner.core.errors import StoreError
from mlrunner.tracking import outage
from mlrunner.tracking.background_writer import Recorder


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def refusing_server() -> Iterator[int]:
    """A server that knows no page."""
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_only_a_server_that_does_not_answer_is_gone(
    free_port: int, refusing_server: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = {f"http://u:pw@127.0.0.1:{free_port}": True, f"http://u:pw@127.0.0.1:{refusing_server}": False}
    for uri, expected in {**gone, "sqlite:////db": False}.items():
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        assert outage.is_server_gone() is expected
        assert "pw" not in outage.explain()


def test_the_error_of_mlflow_is_known(free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(MlflowException) as caught:
        MlflowClient(f"http://127.0.0.1:{free_port}").get_run("0" * 32)
    assert outage.is_outage(caught.value)
    assert not outage.is_outage(MlflowException("no such run"))


def test_a_command_that_ends_does_not_wait_for_a_server_that_is_gone(
    free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port}")
    recorder, released = Recorder(), threading.Event()
    recorder.submit(released.wait, 30)
    with pytest.raises(StoreError, match="does not answer any more"):
        recorder.flush(hurry=True)
    assert process._ABANDONED.is_set()  # `main` ends without the thread
    process._ABANDONED.clear()
    released.set()


def test_after_a_failed_request_later_ones_try_once(free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    recorder = Recorder()
    recorder.submit(int, "no number")
    retries = recorder.submit(outage.environment.variable, "MLFLOW_HTTP_REQUEST_MAX_RETRIES")
    with pytest.raises(StoreError, match="start the server and run again"):
        recorder.flush()
    assert retries.result() == "0"


def test_a_sweep_waits_longer_than_a_run_unless_the_user_says_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in outage.RUN_RETRIES.items():
        monkeypatch.setenv(name, value)
    outage.wait_longer()
    assert _waits(monkeypatch) == pytest.approx(62)  # an outage of 30 s ends before
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    outage.wait_longer()
    assert outage.environment.variable("MLFLOW_HTTP_REQUEST_MAX_RETRIES") == "1"


def _waits(monkeypatch: pytest.MonkeyPatch) -> float:
    """Add up the pauses of one request of MLflow to a port where nothing listens."""
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        with pytest.raises(MlflowException):
            MlflowClient(f"http://127.0.0.1:{probe.getsockname()[1]}").get_run("0" * 32)
    return sum(pauses)


def test_waiting_is_announced_once_for_a_request(
    free_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://u:pw@127.0.0.1:{free_port}")
    for name, value in outage.SWEEP_RETRIES.items():
        monkeypatch.setenv(name, value)
    outage.announce_waiting()
    _waits(monkeypatch)
    expected = f"mlrunner: stack.tracking_uri=http://127.0.0.1:{free_port} does not answer; waiting for it.\n"
    assert capsys.readouterr().err == expected


def test_a_command_that_ends_does_not_wait_for_writes_it_already_waits_for(
    free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port}")
    with pytest.raises(StoreError, match="does not answer any more"):
        Recorder().flush(hurry=True)  # an earlier flush, which a signal has ended, took the pool
    assert process._ABANDONED.is_set()
    process._ABANDONED.clear()

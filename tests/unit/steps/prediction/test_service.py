"""The service as a source of predictions: restarts, errors, and another version that is deployed on the way."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer.release import Server
from mlrunner.groups.deployer.state import DeploymentStore, State
from mlrunner.serving import identity
from mlrunner.serving.columns import RawColumn
from mlrunner.serving.schema import Schema
from mlrunner.steps.prediction.batches import Batch
from mlrunner.steps.prediction.protocol import TooManyRowsError, UnfitRowsError
from mlrunner.steps.prediction.service import NO_ANSWER, ServicePredictor


class FakeService:
    """An HTTP server that returns prepared responses in their order, and the last one again and again."""

    def __init__(self) -> None:
        self.responses: list[tuple[int, str, Any]] = []
        self.paths: list[str] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 5

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.do_GET()

            def do_GET(self) -> None:
                service.paths.append(self.path)
                column = {"name": "x", "kind": "number", "required": True, "categories": None}
                schema = (200, "", {"columns": [column]})
                if self.path == "/schema":
                    response = schema
                elif self.path.startswith(identity.PATH):
                    response = (200, "", identity.prove("", self.path.partition("=")[2]))
                else:
                    response = service.responses.pop(0) if len(service.responses) > 1 else service.responses[0]
                status, model, content = response
                data = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("X-Model", model)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *arguments: object) -> None:
                del arguments

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads, self.http.block_on_close = True, False
        self.port = self.http.server_address[1]
        self._thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        self.http.shutdown()
        self._thread.join()
        self.http.server_close()


@pytest.fixture
def service() -> Iterator[FakeService]:
    fake = FakeService()
    yield fake
    fake.stop()


@pytest.fixture
def store(service: FakeService, tmp_path: Path) -> DeploymentStore:
    """A deployment that serves version 2 at the fake service."""
    state = DeploymentStore(tmp_path / "m")
    state.log_event("deployed")
    server = Server(2, f"http://127.0.0.1:{service.port}", "", "")
    state.write_state(State("m", "127.0.0.1", service.port, 5.0, 64.0, {}, versions=[2], active=server))
    return state


ROW = Batch({"x": np.array([1.5, np.nan])}, 2)
GOOD = (200, "m/2", {"predictions": [0.5, None]})


@pytest.fixture
def predictor(store: DeploymentStore) -> Iterator[ServicePredictor]:
    opened = ServicePredictor(store, 2, retry_seconds={503: 0.5, NO_ANSWER: 0.1}, retry_pause=0.01)
    yield opened
    opened.stop()


def test_predict(predictor: ServicePredictor, service: FakeService) -> None:
    service.responses = [GOOD]
    assert predictor.schema == Schema((RawColumn("x", "number", True),))
    assert predictor.predict(ROW) == [0.5, None]


def test_request_is_repeated_during_a_restart(predictor: ServicePredictor, service: FakeService) -> None:
    service.responses = [(503, "", {"message": "restarting"})] * 3 + [GOOD]
    assert predictor.predict(ROW) == [0.5, None]
    assert service.paths.count("/invocations") == 4


RESPONSES = {
    "never_ready": (
        (503, "", {"message": "restarting"}),
        DeployError,
        r"answers 503 \(restarting\); nothing was written",
    ),
    "broken": ((500, "", {"message": "KeyError"}), DeployError, "answers 500 .KeyError.; nothing was written"),
    "unfit": ((422, "", {"message": "bad row"}), UnfitRowsError, "bad row"),
    "large": ((413, "", {"message": "large"}), TooManyRowsError, "large"),
    "late": ((504, "", {"message": "late"}), TooManyRowsError, "late"),
}


@pytest.mark.parametrize(("response", "error", "message"), RESPONSES.values(), ids=RESPONSES)
def test_errors_of_the_service(
    response: tuple[int, str, Any],
    error: type[Exception],
    message: str,
    predictor: ServicePredictor,
    service: FakeService,
) -> None:
    service.responses = [response]
    with pytest.raises(error, match=message):
        predictor.predict(ROW)


def test_service_that_is_gone(predictor: ServicePredictor, service: FakeService) -> None:
    service.stop()
    with pytest.raises(DeployError, match=r"does not answer .*predict with --offline"):
        predictor.predict(ROW)
    service.__init__()  # type: ignore[misc] # for the fixture to stop


def test_prediction_continues_with_its_version(
    predictor: ServicePredictor, service: FakeService, store: DeploymentStore
) -> None:
    service.responses = [(200, "m/3", {"predictions": [9.0, 9.0]}), GOOD]
    old, new = FakeService(), Server(3, "http://127.0.0.1:9", "", "")
    try:
        old.responses = [GOOD]
        state = store.read_state()
        assert state is not None
        ready = Server(2, f"http://127.0.0.1:{old.port}", "", "")
        store.write_state(replace(state, active=new, ready=ready, versions=[2, 3]))
        assert predictor.predict(ROW) == [0.5, None]
        assert predictor.predict(ROW) == [0.5, None]
        assert old.paths.count("/invocations") == len(old.paths) - 1 == 2  # and a challenge before
    finally:
        old.stop()
    predictor._url = f"http://127.0.0.1:{service.port}"
    service.responses = [(200, "m/4", {"predictions": [9.0, 9.0]})]
    store.write_state(replace(state, active=new, ready=None))
    with pytest.raises(DeployError, match="m/4 serves now, no longer version 2; nothing was written"):
        predictor.predict(ROW)
    store.write_state(replace(state, active=None, ready=None))
    with pytest.raises(DeployError, match="was stopped; nothing was written, try --offline"):
        predictor.predict(ROW)

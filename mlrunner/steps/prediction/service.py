"""Predict through the service of a deployment, over HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from socket import SHUT_RDWR
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson

from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer.state import DeploymentStore, State
from mlrunner.serving import identity
from mlrunner.serving.columns import RawColumn
from mlrunner.serving.schema import Schema
from mlrunner.steps.prediction.batches import Batch
from mlrunner.steps.prediction.protocol import TooManyRowsError, UnfitRowsError, refuse_without_classes

NO_ANSWER = 0  # takes the place of an HTTP status
# Seconds to repeat a request, by status: a gateway restarts its server, but no process restarts a gateway.
RETRY_SECONDS = {HTTPStatus.SERVICE_UNAVAILABLE: 90.0, HTTPStatus.BAD_GATEWAY: 90.0, NO_ANSWER: 10.0}
RETRY_PAUSE = 0.5  # seconds
TIMEOUT_MARGIN = 10.0  # seconds beyond the time-out of the gateway
TOO_MANY_STATUSES = (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.GATEWAY_TIMEOUT)


class ServiceResponse(NamedTuple):
    """A response of the service.

    Args:
        status: HTTP status, or `NO_ANSWER`.
        model: `NAME/VERSION`; empty if the response does not name it.
        content: Parsed JSON.
    """

    status: int
    model: str
    content: Any

    @property
    def message(self) -> str:
        """Message of an error."""
        return str(self.content.get("message", self.content) if isinstance(self.content, dict) else self.content)


class ServicePredictor:
    """Predicts through the stable address of a deployment.

    When another version is deployed during the prediction, requests go to the address of the first version, which
    stays up for a rollback.

    Args:
        store: State of the deployment.
        version: Version that serves.
        retry_seconds: Seconds to repeat a request, by status of the response.
        retry_pause: Seconds between two attempts.
        probabilities: Whether to predict class probabilities.
    """

    in_flight = 4  # so that the server does not wait while the table is read

    def __init__(
        self,
        store: DeploymentStore,
        version: int,
        retry_seconds: Mapping[int, float] = RETRY_SECONDS,
        retry_pause: float = RETRY_PAUSE,
        probabilities: bool = False,
    ) -> None:
        self._store, self._local, self._stopped = store, threading.local(), threading.Event()
        self._retry_seconds, self._retry_pause = retry_seconds, retry_pause
        self._connections: list[HTTPConnection] = []
        state = self._read_state()
        self._url, self._timeout = state.url, state.timeout + TIMEOUT_MARGIN
        self.model, self.version, self.through = store.name, version, state.url
        content = self._request(self._url, "/schema").content
        self.schema = Schema(tuple(_parse_column(column) for column in content["columns"]))
        self.classes: list[Any] | None = content.get("classes") if probabilities else None
        if probabilities:
            refuse_without_classes(self.classes)
        self._path = f"/invocations{'?probabilities=true' if probabilities else ''}"

    def predict(self, batch: Batch) -> list[Any]:
        """See `Predictor.predict`."""
        body = batch.to_json()
        response = self._request(self._url, self._path, body)
        if response.model not in ("", f"{self.model}/{self.version}"):
            self._url = self._find_address(response.model)
            response = self._request(self._url, self._path, body)
        return list(response.content["predictions"])

    def stop(self) -> None:
        """See `Predictor.stop`."""
        self._stopped.set()
        for connection in self._connections:
            with suppress(OSError, AttributeError):
                connection.sock.shutdown(SHUT_RDWR)  # wakes a thread that waits for the response
            connection.close()

    def _find_address(self, model: str) -> str:
        """Return the address of the version that the prediction began with, now that another one serves."""
        server = self._read_state().find_server(self.version)
        if server is None or not identity.is_own(server.url, server.token, self._timeout):
            raise DeployError(
                f"{model} serves now, no longer version {self.version}; nothing was written, predict again."
            )
        return server.url

    def _read_state(self) -> State:
        state = self._store.read_state()
        if state is None or state.active is None:
            raise DeployError(f"Deployment {self._store.name} was stopped; nothing was written, try --offline.")
        return state

    def _request(self, url: str, path: str, body: bytes | None = None) -> ServiceResponse:
        """Send a request, and repeat it while the service restarts."""
        start = time.monotonic()
        response = self._send(url, path, body)
        while self._is_retried(response.status, time.monotonic() - start):
            response = self._send(url, path, body)
        if response.status == HTTPStatus.OK:
            return response
        if response.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            raise UnfitRowsError(response.message)
        if response.status in TOO_MANY_STATUSES:
            raise TooManyRowsError(response.message)
        answer = "does not answer" if response.status == NO_ANSWER else f"answers {response.status}"
        raise DeployError(
            f"{url}{path} {answer} ({response.message}); nothing was written. See mlrunner status {self._store.name}, "
            "or predict with --offline."
        )

    def _is_retried(self, status: int, seconds: float) -> bool:
        return seconds < self._retry_seconds.get(status, 0) and not self._stopped.wait(self._retry_pause)

    def _send(self, url: str, path: str, body: bytes | None) -> ServiceResponse:
        """Send a request once, on the connection of this thread."""
        connection = self._connect(url)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("GET" if body is None else "POST", path, body, headers)
            with connection.getresponse() as response:
                model = response.headers.get("X-Model", "")
                return ServiceResponse(response.status, model, _parse_json(response.read()))
        except TimeoutError as error:
            connection.close()
            return ServiceResponse(HTTPStatus.GATEWAY_TIMEOUT, "", str(error))
        except (OSError, HTTPException) as error:
            connection.close()
            return ServiceResponse(NO_ANSWER, "", str(error) or type(error).__name__)

    def _connect(self, url: str) -> HTTPConnection:
        connections: dict[str, HTTPConnection] = self._local.__dict__
        if url not in connections:
            address = urlsplit(url)
            connections[url] = HTTPConnection(address.hostname or "", address.port, timeout=self._timeout)
            self._connections.append(connections[url])
        return connections[url]


def _parse_json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return data[:200].decode(errors="replace")


def _parse_column(column: dict[str, Any]) -> RawColumn:
    categories = column.get("categories")
    values = None if categories is None else frozenset(categories)
    return RawColumn(column["name"], column["kind"], column["required"], values)

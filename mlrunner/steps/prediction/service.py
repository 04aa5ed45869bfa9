"""The service of a deployment as a source of predictions, over HTTP."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from socket import SHUT_RDWR
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson

from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer.state import Ledger, State
from mlrunner.serving.schema import Column, Schema
from mlrunner.steps.prediction.batches import Batch
from mlrunner.steps.prediction.protocol import TooMany, Unfit

SILENT = 0  # no answer at all
# Seconds that one request is repeated: a server is started anew by its gateway, a gateway by nobody.
PATIENCE = {HTTPStatus.SERVICE_UNAVAILABLE: 90.0, HTTPStatus.BAD_GATEWAY: 90.0, SILENT: 10.0}
PAUSE = 0.5  # seconds before it is repeated
GRACE = 10.0  # seconds beyond those that the gateway grants a request
TOO_MANY = (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.GATEWAY_TIMEOUT)


class Answer(NamedTuple):
    """What came back.

    Args:
        status: Of HTTP, or `SILENT`.
        model: `NAME/VERSION`; empty where it is not said.
        told: The JSON.
    """

    status: int
    model: str
    told: Any

    @property
    def message(self) -> str:
        """What an error says."""
        return str(self.told.get("message", self.told) if isinstance(self.told, dict) else self.told)


class Service:
    """Predicts through the stable address of a deployment.

    When another version is deployed meanwhile, the one that it began with goes on to be asked: it stays up for a
    rollback, at an address of its own.

    Args:
        ledger: Of the deployment.
        version: That serves.
    """

    in_flight = 4  # or the server would wait for the reading of the table

    def __init__(self, ledger: Ledger, version: int) -> None:
        self._ledger, self._local, self._stopped = ledger, threading.local(), threading.Event()
        self._connections: list[HTTPConnection] = []
        state = self._state()
        self._url, self._timeout = state.url, state.timeout + GRACE
        self.model, self.version, self.through = ledger.name, version, state.url
        told = self._asked(self._url, "/schema").told
        self.schema = Schema(tuple(_column(column) for column in told["columns"]))

    def predict(self, batch: Batch) -> list[Any]:
        """See `Predictor.predict`."""
        body = batch.body()
        answer = self._asked(self._url, "/invocations", body)
        if answer.model not in ("", f"{self.model}/{self.version}"):
            self._url = self._kept(answer.model)
            answer = self._asked(self._url, "/invocations", body)
        found: list[Any] = answer.told["predictions"]
        return found

    def stop(self) -> None:
        """See `Predictor.stop`."""
        self._stopped.set()
        for connection in self._connections:
            with suppress(OSError, AttributeError):
                connection.sock.shutdown(SHUT_RDWR)  # wakes a thread that waits for the answer
            connection.close()

    def _kept(self, model: str) -> str:
        """Find the address of the version that served before, which only a deployment can have replaced."""
        server = self._state().server_of(self.version)
        if server is None:
            raise DeployError(
                f"{model} serves now, no longer version {self.version}; nothing was written, predict again."
            )
        return server.url

    def _state(self) -> State:
        state = self._ledger.state()
        if state is None or state.serves is None:
            raise DeployError(f"Deployment {self._ledger.name} was stopped; nothing was written, try --offline.")
        return state

    def _asked(self, url: str, path: str, body: bytes | None = None) -> Answer:
        """Ask until there is an answer, or patience ends."""
        began = time.monotonic()
        answer = self._once(url, path, body)
        while time.monotonic() - began < PATIENCE.get(answer.status, 0) and not self._stopped.wait(PAUSE):
            answer = self._once(url, path, body)
        if answer.status == HTTPStatus.OK:
            return answer
        if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            raise Unfit(answer.message)
        if answer.status in TOO_MANY:
            raise TooMany(answer.message)
        told = f"{url}{path} does not answer" if answer.status == SILENT else f"{url}{path} answers {answer.status}"
        raise DeployError(
            f"{told} ({answer.message}); nothing was written. See mlrunner status {self._ledger.name}, or predict with "
            "--offline."
        )

    def _once(self, url: str, path: str, body: bytes | None) -> Answer:
        """Ask once, on the connection that this thread has."""
        connection = self._connection(url)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("GET" if body is None else "POST", path, body, headers)
            with connection.getresponse() as found:
                return Answer(found.status, found.headers.get("X-Model", ""), _json(found.read()))
        except TimeoutError as error:
            connection.close()
            return Answer(HTTPStatus.GATEWAY_TIMEOUT, "", str(error))
        except (OSError, HTTPException) as error:
            connection.close()
            return Answer(SILENT, "", str(error) or type(error).__name__)

    def _connection(self, url: str) -> HTTPConnection:
        known: dict[str, HTTPConnection] = self._local.__dict__
        if url not in known:
            address = urlsplit(url)
            known[url] = HTTPConnection(address.hostname or "", address.port, timeout=self._timeout)
            self._connections.append(known[url])
        return known[url]


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return data[:200].decode(errors="replace")


def _column(told: dict[str, Any]) -> Column:
    categories = told.get("categories")
    known = None if categories is None else frozenset(categories)
    return Column(told["name"], told["kind"], told["required"], known)

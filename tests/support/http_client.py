"""Servers on loopback, and a client that sends valid and invalid requests."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from mlrunner.serving.connections import BACKLOG, MAX_CONNECTIONS, Listener


@contextmanager
def serve(application: Callable[[], web.Application], max_connections: int = MAX_CONNECTIONS) -> Iterator[int]:
    """Serve an application on a loopback port in a thread.

    Yields:
        The port.
    """
    server: dict[str, Any] = {}
    ready = threading.Event()

    async def run() -> None:
        listening = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        listener = Listener(application(), listening, max_connections)
        server["loop"], server["stop"] = asyncio.get_running_loop(), asyncio.Event()
        await listener.start()
        server["port"] = listening.getsockname()[1]
        ready.set()
        await server["stop"].wait()
        await listener.stop()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        if not ready.wait(20):
            raise RuntimeError("the server did not start")
        yield server["port"]
    finally:
        if "stop" in server:
            server["loop"].call_soon_threadsafe(server["stop"].set)
        thread.join(20)


def wait_until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Call a function until it returns a true value, and return that.

    Raises:
        TimeoutError: If it does not within the time.
    """
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError("the condition did not become true")
        time.sleep(0.01)
    return value


@dataclass(frozen=True)
class Response:
    """Hold a response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Parsed body."""
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """Message of an error, whose format is checked."""
        content = self.json
        assert set(content) == {"error_code", "message"}
        assert content["error_code"]
        assert isinstance(content["message"], str)
        return str(content["message"])


class Client:
    """A connection to a loopback server; reopened after the server has closed it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._connection.close()

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Response:
        """Send a request; underscores in header names become hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, path, body, named)
        with self._connection.getresponse() as response:
            return Response(response.status, dict(response.headers.items()), response.read())

    def get(self, path: str) -> Response:
        """Send a GET request."""
        return self.send("GET", path)

    def post(self, content: Any, content_type: str = "application/json") -> Response:
        """Send bytes or any JSON value to `/invocations`."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.send("POST", "/invocations", body, Content_Type=content_type)

    def read_metrics(self) -> dict[str, float]:
        """Read the metrics of a server or gateway by name and labels."""
        families = text_string_to_metric_families(self.get("/metrics").body.decode())
        samples = (sample for family in families for sample in family.samples)
        return {"/".join([sample.name, *sample.labels.values()]): sample.value for sample in samples}

    def predict(self, rows: list[dict[str, Any]]) -> list[Any]:
        """Return the predictions of valid rows."""
        response = self.post({"dataframe_records": rows})
        assert response.status == 200, response.body
        return list(response.json["predictions"])


def send_raw(port: int, data: bytes, timeout: float = 10.0) -> bytes:
    """Send bytes, and read until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        connection.sendall(data)
        received = b""
        while part := connection.recv(65536):
            received += part
    return received


def write_request(
    body: bytes, *headers: str, path: str = "/invocations", method: str = "POST", last: bool = True
) -> bytes:
    """Write a request as bytes; the last one of a connection closes it."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers, *(["Connection: close"] if last else [])]
    if not any(line.lower().startswith(("transfer-encoding", "content-length")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

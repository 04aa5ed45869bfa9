"""Gateways, and servers to put behind them."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from mlrunner.groups.deployer.release import Server
from mlrunner.groups.deployer.state import DeploymentStore, State
from mlrunner.serving import identity
from mlrunner.serving.gateway import Gateway
from mlrunner.serving.health_check import HealthCheck
from tests.support.http_client import serve

LIMIT = 1.0  # megabytes
TOKEN = "token"


NO_CHECKS = HealthCheck(interval=3600.0)


class Backend:
    """A server that returns the request, and behaves as its path says."""

    def __init__(self, name: str = "one") -> None:
        self.name, self.requests, self.pings = name, list[str](), 0
        self.free = threading.Event()

    def application(self) -> web.Application:
        """Build the application."""
        app = web.Application(client_max_size=int(100e6))
        app.router.add_route("*", "/{path:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        if request.path == identity.PATH:
            return web.json_response(identity.prove(TOKEN, request.query["challenge"]))
        if request.path == "/ping":
            self.pings += 1
            return web.Response(text="\n")
        self.requests.append(f"{request.method} {request.path_qs}")
        content = {
            "server": self.name,
            "request": self.requests[-1],
            "body": (await request.read()).decode("latin-1"),
            "headers": {name.lower(): value for name, value in request.headers.items()},
        }
        headers = {"X-Model": f"houses/{self.name}"}
        if request.path == "/big":
            return web.Response(body=b"x" * 20_000_000, headers=headers)
        if request.path == "/wait":
            await asyncio.to_thread(self.free.wait, 10)
        if request.path.startswith("/status/"):
            headers |= {"Location": "/elsewhere", "Allow": "POST", "Retry-After": "7", "X-Inner": "secret"}
            return web.json_response(content, status=int(request.path.rpartition("/")[2]), headers=headers)
        if request.path == "/metrics":
            return web.Response(text=f'backend_up{{server="{self.name}"}} 1\n')
        return web.json_response(content, headers=headers)


def write_state(
    folder: Path,
    port: int,
    version: int = 1,
    timeout: float = 5.0,
    restart: tuple[str, ...] = ("true",),
    token: str = TOKEN,
) -> None:
    """Write the state file as a deployer does."""
    server = Server(version, f"http://127.0.0.1:{port}", "handle", token)
    settings: dict[str, Any] = {"_target_": "mlrunner.groups.deployer.local.LocalDeployer"}
    DeploymentStore(folder).write_state(
        State("houses", "127.0.0.1", 1, timeout, LIMIT, settings, list(restart), [version], server)
    )


@contextmanager
def run_gateway(folder: Path, health_check: HealthCheck = NO_CHECKS) -> Iterator[int]:
    """Run the gateway of a deployment, without health checks unless given."""
    with serve(lambda: Gateway(folder, health_check).application(LIMIT)) as port:
        yield port


class Flaky:
    """A server that closes each connection after a number of responses; those of challenges are not counted.

    Args:
        answers: Number of responses of each connection; the last one repeats.
        announces: Whether the last response of a connection has the header `Connection: close`.
    """

    def __init__(self, answers: list[int], announces: bool = False) -> None:
        self._answers, self._announces = answers, announces
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.connections = self._socket.getsockname()[1], 0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def __enter__(self) -> Flaky:
        return self

    def __exit__(self, *raised: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                data = connection.recv(65536)
                if data.startswith(f"GET {identity.PATH}?".encode()):
                    proof = f'"{identity.prove(TOKEN, data.split(b"=", 1)[1].split()[0].decode())}"'
                    connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(proof)}\r\n\r\n{proof}".encode())
                    continue
                remaining = self._answers[min(self.connections, len(self._answers) - 1)]
                self.connections += 1
                while data and remaining:
                    remaining -= 1
                    last = b"Connection: close\r\n" if self._announces and not remaining else b""
                    connection.sendall(b"HTTP/1.1 200 OK\r\n" + last + b"Content-Length: 2\r\n\r\nok")
                    data = connection.recv(65536)


def is_listening(port: int) -> bool:
    """Check whether a port accepts connections."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

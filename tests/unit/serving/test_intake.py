"""Bodies within limits of time, bytes and requests at once."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import ExitStack

from aiohttp import web

from mlrunner.serving.intake import HEALTH_ROOM, Intake
from mlrunner.serving.responses import error_response, explain_error
from tests.support.http_client import Client, serve, write_request


def make_application(seconds: float = 5.0, max_connections: int = 100) -> web.Application:
    """Answer with the size of a body, once it may be answered."""
    intake = Intake(1.0, max_connections)

    async def answer(request: web.Request) -> web.Response:
        try:
            async with intake.read(request, seconds) as body:
                await asyncio.sleep(0.5 if request.path == "/slow" else 0.0)
                return web.json_response(len(body))
        except Exception as error:
            return error_response(*explain_error(error, seconds, 1.0))

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    return app


def send_part(port: int, body: bytes, size: int) -> socket.socket:
    """Send a request without the end of its body."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(write_request(body)[: size - len(body)])
    return connection


def test_half_a_body_is_waited_for_so_long() -> None:
    with serve(lambda: make_application(seconds=0.2)) as port, ExitStack() as stack:
        start = time.monotonic()
        halves = [stack.enter_context(send_part(port, b"x" * 100, 50)) for _ in range(5)]
        for half in halves:
            assert half.recv(1000).startswith(b"HTTP/1.1 408 ")
        assert 0.2 <= time.monotonic() - start < 5.0


def test_bodies_in_memory_are_limited_but_small_ones_have_room() -> None:
    with serve(make_application) as port, ExitStack() as stack, Client(port) as client:
        large = b"x" * 900_000
        for _ in range(5):
            stack.enter_context(send_part(port, large, 899_999))
        time.sleep(0.3)
        refused = client.post(large)
        assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
        assert client.post(b"x" * 1000).json == 1000
        stack.close()
        time.sleep(0.3)
        assert client.post(large).json == 900_000


def test_requests_at_once_are_limited_but_health_checks_have_room() -> None:
    with serve(lambda: make_application(max_connections=HEALTH_ROOM + 1)) as port, ExitStack() as stack:
        slow = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
        slow.sendall(write_request(b"abc", path="/slow"))
        time.sleep(0.2)
        client = stack.enter_context(Client(port))
        assert client.post(b"x").status == 503
        assert client.get("/ping").status == 200
        assert slow.recv(1000).endswith(b"3")
        assert client.post(b"x").json == 1

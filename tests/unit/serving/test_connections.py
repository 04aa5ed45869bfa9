"""Connections: room for a new one among those that send nothing, and errors in JSON."""

from __future__ import annotations

import gc
import json
import logging
import resource
import socket
from contextlib import ExitStack, suppress

import pytest
from aiohttp import web

from mlrunner.serving import connections
from mlrunner.serving.intake import Intake
from tests.support.http_client import Client, send_raw, serve, write_request


def application() -> web.Application:
    """Answer every request."""

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/fails":
            raise RuntimeError("secret")
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    return app


def test_a_request_finds_room_among_connections_that_send_nothing() -> None:
    with serve(application, max_connections=4) as port, ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10)) for _ in range(20)]
        for connection in silent[10:]:
            connection.sendall(b"GET /ping HTTP/1.1\r\nHo")
        with Client(port) as client:
            assert client.get("/ping").body == b"ok"
        for connection in silent[:16]:
            with suppress(ConnectionResetError):
                assert connection.recv(10) == b""  # the oldest were closed


def intake_application() -> web.Application:
    """Answer every request after its body was read, as server and gateway do."""
    intake = Intake(1.0, 4)

    async def answer(request: web.Request) -> web.Response:
        async with intake.read(request, 10.0) as body:
            return web.Response(body=body)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    return app


def test_a_client_that_sends_requests_outlives_a_crowd_that_came_later() -> None:
    with serve(intake_application, max_connections=4) as port, ExitStack() as stack:
        ours = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
        for _ in range(20):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            ours.sendall(write_request(b"1", last=False))
            assert ours.recv(1000).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\r\n\r\n", write_request(b"", "a b: c", method="GET")])
def test_what_is_not_http_gets_json_and_is_not_logged(sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with serve(application) as port:
        head, _, body = send_raw(port, sent).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 400") or head.startswith(b"HTTP/1.1 400")
    assert b"application/json" in head
    assert json.loads(body)["error_code"] == "BAD_REQUEST"
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_handler_that_fails_is_a_500_without_its_message() -> None:
    with serve(application) as port, Client(port) as client:
        answer = client.get("/fails")
        assert (answer.status, answer.message) == (500, "RuntimeError.")
        assert client.get("/ping").body == b"ok"


def test_the_limit_of_descriptors_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 10**9)
    try:
        assert connections.raise_descriptor_limit(2) == (hard - connections.SPARE_DESCRIPTORS) // 2
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_connection_that_was_just_accepted_ends_with_the_server() -> None:
    for _ in range(10):
        with serve(application) as port:
            clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        for client in clients:
            client.close()
        gc.collect()  # warns, which fails the test, of a socket that is left open

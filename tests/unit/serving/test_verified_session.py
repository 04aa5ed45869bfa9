"""Each new connection of a gateway is to a server that has proved its identity."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web

from mlrunner.core.loopback import free_port
from mlrunner.serving.gateway_routes import Route
from mlrunner.serving.verified_session import ForeignServerError, open_session
from tests.support.gateways import TOKEN, Backend
from tests.support.http_client import serve


def send(port: int, token: str = TOKEN, count: int = 1) -> list[int]:
    route = Route(f"http://127.0.0.1:{port}", token, 1, 5.0, ())

    async def run() -> list[int]:
        async with open_session() as session:
            statuses = []
            for _ in range(count):
                async with session.post(f"{route.url}/x", data=b"rows", trace_request_ctx=route) as response:
                    await response.read()
                    statuses.append(response.status)
            return statuses

    return asyncio.run(run())


def test_a_connection_is_verified_once() -> None:
    backend, challenges = Backend(), list[str]()

    async def count(request: web.Request, response: web.StreamResponse) -> None:
        del response
        challenges.extend([request.path] if request.path == "/identity" else [])

    def application() -> web.Application:
        app = backend.application()
        app.on_response_prepare.append(count)
        return app

    with serve(application) as port:
        assert send(port, count=3) == [200] * 3
    assert challenges == ["/identity"]


@pytest.mark.parametrize("text", ["ok", "null", '"token"', "[]"])
def test_another_program_receives_nothing(text: str) -> None:
    requests: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        requests.append(request.method)
        return web.Response(text=text)

    def application() -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        return app

    with serve(application) as port, pytest.raises(ForeignServerError, match="another process answers at"):
        send(port)
    assert requests == ["GET"]


def test_a_server_of_another_deployment_receives_nothing() -> None:
    backend = Backend()
    with serve(backend.application) as port, pytest.raises(ForeignServerError):
        send(port, "another token")
    assert backend.requests == []


def test_an_unreachable_server_is_a_connection_error() -> None:
    with pytest.raises(aiohttp.ClientConnectorError):
        send(free_port())

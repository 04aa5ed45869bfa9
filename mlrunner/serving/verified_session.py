"""HTTP session of a gateway: it verifies a server before it opens a connection to it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import aiohttp

from mlrunner.serving import identity
from mlrunner.serving.gateway_routes import Route


class ForeignServerError(aiohttp.ClientConnectionError):
    """Raised when another process answers on the port of the server."""


@asynccontextmanager
async def open_session() -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session whose requests need `trace_request_ctx=ROUTE`.

    A connection that stays open is that of the server that was verified: when this ends, the connection does.
    """
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True)) as challenges:

        async def verify(
            session: aiohttp.ClientSession, context: SimpleNamespace, start: aiohttp.TraceConnectionCreateStartParams
        ) -> None:
            del session, start
            await _verify(challenges, context.trace_request_ctx)

        trace = aiohttp.TraceConfig()
        trace.on_connection_create_start.append(verify)
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False, trace_configs=[trace]) as verified:
            yield verified


async def _verify(challenges: aiohttp.ClientSession, route: Route) -> None:
    challenge, path = identity.create_challenge()
    async with challenges.get(f"{route.url}{path}", allow_redirects=False) as response:
        body = await response.content.read(256)
    try:
        proof = json.loads(body)
    except ValueError:
        proof = None
    if not identity.is_proof(proof, route.token, challenge):
        raise ForeignServerError(f"another process answers at {route.url}")

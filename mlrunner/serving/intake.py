"""Bodies of requests, read within limits of time, of bytes in memory and of requests at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from aiohttp import web

from mlrunner.serving.connections import MAX_CONNECTIONS, Connection
from mlrunner.serving.errors import RequestError
from mlrunner.serving.limits import MEGABYTE

HEALTH_PATHS = ("/ping", "/health")
HEALTH_ROOM = 16  # connections that only health checks and new requests may use
SMALL_BODY = 64 * 1024  # bytes of a body that do not count; connections are limited
BUSY = HTTPStatus.SERVICE_UNAVAILABLE
BODIES_IN_MEMORY = 4  # of the largest size


class Intake:
    """Read bodies, and count the bytes and requests that are in memory until they are answered.

    Args:
        megabytes: Maximum size of a body.
        max_connections: Maximum number of connections of the server.
    """

    def __init__(self, megabytes: float, max_connections: int = MAX_CONNECTIONS) -> None:
        self._body_limit = int(megabytes * MEGABYTE)
        self._free_bytes = BODIES_IN_MEMORY * self._body_limit
        self._free_requests = max(1, max_connections - HEALTH_ROOM)

    @asynccontextmanager
    async def read(self, request: web.Request, seconds: float) -> AsyncIterator[bytes]:
        """Read the body of a request, which counts as in memory until the block ends.

        Args:
            request: Request to read.
            seconds: Maximum time that the client may take to send the body.

        Raises:
            RequestError: If the body is incomplete or comes too slowly, or too much is in memory already.
            web.HTTPRequestEntityTooLarge: If it exceeds the limit.
        """
        body, counts = bytearray(), False
        try:
            await self._receive(request, body, seconds)  # may be closed to make room, so it does not count yet
            if request.path not in HEALTH_PATHS and self._free_requests <= 0:
                raise RequestError("Too many requests are in work; try again in a few seconds.", BUSY)
            counts = request.path not in HEALTH_PATHS
            self._free_requests -= counts
            _mark(request, is_answering=True)
            yield bytes(body)
        finally:
            _mark(request, is_answering=False)
            self._free_requests += counts
            self._free_bytes += _counted(body)

    async def _receive(self, request: web.Request, body: bytearray, seconds: float) -> None:
        if (request.content_length or 0) > self._body_limit:
            raise web.HTTPRequestEntityTooLarge(self._body_limit, request.content_length or 0)
        try:
            async with asyncio.timeout(seconds):
                async for chunk in request.content.iter_any():
                    self._add(body, chunk)
        except TimeoutError as error:
            message = f"The body did not arrive within {seconds:g} s."
            raise RequestError(message, HTTPStatus.REQUEST_TIMEOUT) from error
        except (web.RequestPayloadError, ConnectionError) as error:
            raise RequestError("The body is incomplete, or is not encoded as its headers say.") from error

    def _add(self, body: bytearray, chunk: bytes) -> None:
        before = _counted(body)
        body += chunk
        self._free_bytes -= _counted(body) - before
        if len(body) > self._body_limit:
            raise web.HTTPRequestEntityTooLarge(self._body_limit, len(body))
        if self._free_bytes < 0 and len(body) > SMALL_BODY:
            raise RequestError("Too many large bodies are in work; try again in a few seconds.", BUSY)


def _counted(body: bytearray) -> int:
    return len(body) if len(body) > SMALL_BODY else 0


def _mark(request: web.Request, is_answering: bool) -> None:
    if isinstance(request.protocol, Connection):
        request.protocol.mark(is_answering)

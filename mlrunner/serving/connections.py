"""Connections of the model server and the gateway: how many, how long they may wait, and errors in JSON."""

from __future__ import annotations

import asyncio
import logging
import resource
import signal
import socket
from functools import partial
from typing import Any

from aiohttp import web

from mlrunner.serving.responses import error_response

log = logging.getLogger(__name__)
BACKLOG = 1024  # connections that the kernel keeps until they are accepted
ACCEPTED_AT_ONCE = 16  # at most, before the oldest are closed
IDLE_SECONDS = 75.0  # for the head of a request, and between two requests; more than the gateway keeps its own (30)
ACCEPT_SECONDS = 0.01  # until the runner knows a connection that was just accepted
SHUTDOWN_SECONDS = 5.0
MAX_CONNECTIONS = 4096
SPARE_DESCRIPTORS = 64  # for files, libraries and the processes of large requests


class Room:
    """Keep the number of connections within a limit.

    One more closes the one that has waited longest for its client; one whose request is being answered stays.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._count = limit, 0
        self._waiting: dict[Connection, None] = {}  # in the order in which they began to wait

    def enter(self, connection: Connection) -> None:
        """Make room for a connection; the closed one counts no more, though its end is reported later."""
        if self._count >= self._limit and self._waiting:
            oldest = next(iter(self._waiting))
            self.leave(oldest)
            if oldest.transport is not None:
                oldest.transport.abort()
        self._count, self._waiting[connection] = self._count + 1, None
        connection.is_counted = True

    def leave(self, connection: Connection) -> None:
        """Count a connection no more; again is fine."""
        self._waiting.pop(connection, None)
        self._count -= connection.is_counted
        connection.is_counted = False

    def mark(self, connection: Connection, is_answering: bool) -> None:
        """Note that the request of a connection is being answered, or that it waits for its client from now on."""
        self._waiting.pop(connection, None)
        if connection.is_counted and not is_answering:
            self._waiting[connection] = None


class Connection(web.RequestHandler):
    """A connection of aiohttp that takes part in the limit of connections, and answers with JSON what is no HTTP.

    Args:
        server: Server of aiohttp that counts the connection.
        room: Limit of connections.
    """

    __slots__ = ("_room", "is_counted")

    def __init__(self, server: web.Server, room: Room) -> None:
        loop = asyncio.get_running_loop()
        options: dict[str, Any] = {"keepalive_timeout": IDLE_SECONDS, "access_log": None, "auto_decompress": False}
        super().__init__(server, loop=loop, **options)
        self._room, self.is_counted = room, False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Make room for this connection."""
        self._room.enter(self)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Give the room back."""
        self._room.leave(self)
        super().connection_lost(exc)

    def mark(self, is_answering: bool) -> None:
        """Note that the request is being answered, or that the connection waits for its client from now on."""
        self._room.mark(self, is_answering)

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Answer a request that is not HTTP or whose handler failed, and close the connection; log the latter."""
        if status >= 500:
            log.error("a request failed", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("a part of the response has been sent")
        lines = (message or type(exc).__name__).splitlines()
        response = error_response(status, lines[0] if status < 500 else f"{type(exc).__name__}.")
        response.force_close()
        return response


def raise_descriptor_limit(per_connection: int) -> int:
    """Raise the limit of open files to the hard one.

    Args:
        per_connection: Open files that a connection needs.

    Returns:
        Number of connections for which there is room.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    room = (hard - SPARE_DESCRIPTORS) // per_connection
    return MAX_CONNECTIONS if hard == resource.RLIM_INFINITY else max(1, min(MAX_CONNECTIONS, room))


class Listener:
    """Serve an application on a socket, with a limited number of connections.

    A new connection and its request find room, however many clients send nothing.
    """

    def __init__(self, app: web.Application, listening: socket.socket, max_connections: int = MAX_CONNECTIONS) -> None:
        self._socket, self._max_connections = listening, max_connections
        self._runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=SHUTDOWN_SECONDS)

    async def start(self) -> None:
        """Accept connections."""
        await self._runner.setup()
        server = self._runner.server
        assert server is not None
        accept, loop = partial(Connection, server, Room(self._max_connections)), asyncio.get_running_loop()
        self._server = await loop.create_server(accept, sock=self._socket, backlog=ACCEPTED_AT_ONCE)
        self._socket.listen(BACKLOG)  # `create_server` takes one number for both

    async def stop(self) -> None:
        """Accept no connection any more, and end the others once their requests are answered."""
        asyncio.get_running_loop().remove_reader(self._socket)
        await asyncio.sleep(ACCEPT_SECONDS)
        self._server.close()  # which would leave open what was accepted an instant ago
        await self._runner.cleanup()


def run(app: web.Application, listening: socket.socket, max_connections: int) -> None:
    """Serve an application until SIGTERM or SIGINT; requests in flight are answered."""
    asyncio.run(_run_until_signal(Listener(app, listening, max_connections)))


async def _run_until_signal(listener: Listener) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await listener.start()
    await ended.wait()
    await listener.stop()

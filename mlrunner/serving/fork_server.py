"""A process of its own for each large request: it can be killed, and small requests do not wait for it.

A template process is forked once, after the model was loaded and while no other thread runs. For each request it forks
a child that shares the memory of the model, answers one request and exits. At the time limit the kernel ends the child,
whatever it computes; its memory is free again, and no other request is lost.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
from collections.abc import Callable
from threading import Thread
from typing import NoReturn

Handle = Callable[[bytes], bytes]
SIZE, SECONDS = struct.Struct("!Q"), struct.Struct("!d")
NICENESS = 5  # of a child: small requests are answered first
GRACE = 1.0  # seconds after the time limit until a child is given up that the kernel has not ended


class ForkServer:
    """Fork a template process now, and answer requests in children of it.

    Args:
        handle: Function of a request that returns its answer; it runs in a child.
        inherited: Sockets that the template closes, so that it keeps no port open.
    """

    def __init__(self, handle: Handle, *inherited: socket.socket) -> None:
        self._control, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            for opened in (self._control, *inherited):
                opened.close()
            _run_template(theirs, handle)
        theirs.close()

    async def call(self, request: bytes, seconds: float) -> bytes:
        """Answer a request in a child.

        Args:
            request: Argument of `handle`.
            seconds: Time limit, after which the child is killed.

        Raises:
            TimeoutError: If the time is up.
            ChildEndedError: If the child was killed for another reason, such as its memory.
        """
        start = asyncio.get_running_loop().time()
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [SECONDS.pack(seconds)], [theirs.fileno()])
        async with asyncio.timeout(seconds + GRACE):
            reader, writer = await asyncio.open_connection(sock=ours)
            try:
                writer.write(SIZE.pack(len(request)))
                writer.write(request)
                await writer.drain()
                return await reader.readexactly(SIZE.unpack(await reader.readexactly(SIZE.size))[0])
            except (asyncio.IncompleteReadError, ConnectionError) as error:
                if asyncio.get_running_loop().time() - start >= seconds:
                    raise TimeoutError from error
                raise ChildEndedError from error
            finally:
                writer.close()  # a child that still works ends then

    def close(self) -> None:
        """End the template; children end with the connection of their request."""
        self._control.close()
        os.waitpid(self.pid, 0)


class ChildEndedError(Exception):
    """The process of a request has ended without an answer."""


def _run_template(control: socket.socket, handle: Handle) -> NoReturn:
    """Fork a child for each connection that arrives, until the server has ended."""
    try:
        for number in (
            signal.SIGINT,
            signal.SIGTERM,
            signal.SIGCHLD,
        ):  # it ends with the server; no child is waited for
            signal.signal(number, signal.SIG_IGN)
        while True:
            message, descriptors, *_ = socket.recv_fds(control, SECONDS.size, 1)
            if not message:
                break
            with socket.socket(fileno=descriptors[0]) as connection:
                if os.fork() == 0:
                    control.close()
                    _run_child(connection, SECONDS.unpack(message)[0], handle)
    finally:
        os._exit(0)


def _run_child(connection: socket.socket, seconds: float, handle: Handle) -> NoReturn:
    """Answer one request; the time limit and a server that hangs up end the process."""
    try:
        for number in (signal.SIGALRM, signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
        os.nice(NICENESS)
        with connection.makefile("rb") as stream:
            request = stream.read(SIZE.unpack(stream.read(SIZE.size))[0])
            Thread(target=_exit_when_closed, args=(connection,), daemon=True).start()
            answer = handle(request)
        connection.sendall(SIZE.pack(len(answer)) + answer)
    finally:
        os._exit(0)


def _exit_when_closed(connection: socket.socket) -> None:
    connection.recv(1)
    os._exit(1)

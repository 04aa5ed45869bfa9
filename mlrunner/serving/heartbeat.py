"""Heartbeats of an event loop, by which a supervisor notices that a worker hangs.

A worker writes a byte to a pipe each second; a loop that is blocked, or a process that is stopped, does not.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

INTERVAL = 1.0  # seconds


def send(app: web.Application, pipe: int | None, interval: float = INTERVAL) -> None:
    """Send heartbeats while an application runs.

    Args:
        app: Application.
        pipe: Descriptor to write to; None without a supervisor.
        interval: Seconds between two heartbeats.
    """
    if pipe is None:
        return

    import asyncio  # a supervisor does without

    async def run(app: web.Application) -> AsyncIterator[None]:
        del app
        os.set_blocking(pipe, False)
        task = asyncio.create_task(_send(pipe, interval))
        yield
        task.cancel()

    app.cleanup_ctx.append(run)


async def _send(pipe: int, interval: float) -> None:
    import asyncio

    while True:
        with suppress(BlockingIOError, BrokenPipeError):  # the supervisor is stopped, or has ended
            os.write(pipe, b".")
        await asyncio.sleep(interval)


class Pulse:
    """The heartbeats that a supervisor receives of one worker.

    Args:
        pipe: Descriptor to read from.
    """

    def __init__(self, pipe: int) -> None:
        os.set_blocking(pipe, False)
        self._pipe = pipe
        self._last: float | None = None

    def update(self) -> float:
        """Read the pipe, and return the seconds since the last heartbeat; 0 before the first."""
        with suppress(BlockingIOError):
            if os.read(self._pipe, 65536):
                self._last = time.monotonic()
        return 0.0 if self._last is None else time.monotonic() - self._last

    @property
    def has_begun(self) -> bool:
        """Whether there was a heartbeat: the worker has started."""
        return self._last is not None

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._pipe)

"""Heartbeats between a supervisor and its workers, by which each notices that the other hangs.

Each writes bytes to a pipe that the other reads; a loop that is blocked, or a process that is stopped, does not.
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
MAX_STEP = 1.0  # seconds that one update may add to a silence


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
        beat(pipe)
        await asyncio.sleep(interval)


def beat(pipe: int) -> None:
    """Send one heartbeat to a pipe that does not block."""
    with suppress(BlockingIOError, BrokenPipeError):  # the other process is stopped, or has ended
        os.write(pipe, b".")


class Pulse:
    """The heartbeats that a process receives of another one.

    A silence is the sum of the times between updates, each at most `MAX_STEP`: when both processes were stopped
    together (`docker pause`), the one that continues first does not take the other for hung.
    """

    def __init__(self, pipe: int) -> None:
        os.set_blocking(pipe, False)
        self._pipe = pipe
        self.has_begun = False  # whether there was a heartbeat: the other process has started
        self._silence, self._updated = 0.0, time.monotonic()

    def update(self) -> float:
        """Read the pipe, and return the seconds of silence since the last heartbeat; 0 before the first."""
        now = time.monotonic()
        self._silence += min(now - self._updated, MAX_STEP) if self.has_begun else 0.0
        self._updated = now
        with suppress(BlockingIOError):
            if os.read(self._pipe, 65536):
                self.has_begun, self._silence = True, 0.0
        return self._silence

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._pipe)

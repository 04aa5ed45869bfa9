"""End a server whose model hangs: nothing else stops a thread, and every later request would wait for it.

Who has started the server (the gateway, a supervisor, the container engine) starts another one.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence

from aiohttp import web

from mlrunner.serving.batching import Batcher

log = logging.getLogger(__name__)
HUNG = 70  # exit code
FACTOR = 2.0  # how many time limits of a request a prediction may take; its clients have long had their 504


def exit_process() -> None:
    """End this process at once: a thread that hangs would keep a regular exit waiting."""
    os._exit(HUNG)


def watch(
    app: web.Application,
    batchers: Sequence[Batcher],
    timeout: float,
    interval: float = 1.0,
    on_hang: Callable[[], object] = exit_process,
) -> None:
    """Watch the predictions while an application runs.

    Args:
        app: Application.
        batchers: Predictions to watch.
        timeout: Maximum seconds of a request.
        interval: Seconds between two checks.
        on_hang: Function to call when a prediction hangs.
    """

    async def run(app: web.Application) -> AsyncIterator[None]:
        del app
        task = asyncio.create_task(_watch(batchers, timeout * FACTOR, interval, on_hang))
        yield
        task.cancel()

    app.cleanup_ctx.append(run)


async def _watch(batchers: Sequence[Batcher], limit: float, interval: float, on_hang: Callable[[], object]) -> None:
    while all(batcher.busy_seconds <= limit for batcher in batchers):
        await asyncio.sleep(interval)
    log.error("the model has been predicting for more than %g s; the server ends", limit)
    on_hang()

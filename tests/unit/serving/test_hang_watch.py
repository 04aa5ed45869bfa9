"""A server whose model hangs ends."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import numpy as np
from aiohttp import web

from mlrunner.serving import hang_watch
from mlrunner.serving.batching import Batcher


def run(seconds: float, timeout: float) -> list[str]:
    """Predict for some seconds, and return what the watch has noticed."""
    noticed, free = list[str](), threading.Event()

    def predict(arrays: Any) -> list[Any]:
        free.wait(seconds)
        return [0] * len(arrays["x"])

    async def serve() -> None:
        batcher, app = Batcher(predict, 10, lambda _: None), web.Application()
        hang_watch.watch(app, [batcher], timeout, interval=0.01, on_hang=lambda: noticed.append("hangs"))
        runner = web.AppRunner(app)
        await runner.setup()
        assert batcher.busy_seconds == 0
        await batcher.predict({"x": np.zeros(1)})
        assert batcher.busy_seconds == 0
        await asyncio.sleep(0.03)
        await runner.cleanup()

    asyncio.run(serve())
    return noticed


def test_a_prediction_of_twice_the_time_limit_ends_the_server_once() -> None:
    assert run(seconds=0.3, timeout=0.1) == ["hangs"]


def test_a_slow_prediction_does_not() -> None:
    assert run(seconds=0.3, timeout=10) == []

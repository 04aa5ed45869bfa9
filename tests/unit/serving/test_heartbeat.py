"""Heartbeats of an event loop."""

from __future__ import annotations

import asyncio
import os
import time

import pytest
from aiohttp import web

from mlrunner.serving import heartbeat


def test_a_loop_that_is_blocked_sends_none() -> None:
    pipe, end = os.pipe()
    pulse, app = heartbeat.Pulse(pipe), web.Application()
    heartbeat.send(app, end, interval=0.01)
    assert (pulse.update(), pulse.has_begun) == (0.0, False)

    async def run() -> tuple[float, float]:
        runner = web.AppRunner(app)
        await runner.setup()
        await asyncio.sleep(0.05)
        running = pulse.update()
        await asyncio.sleep(0)
        pulse.update()
        time.sleep(0.2)
        blocked = pulse.update()
        await runner.cleanup()
        return running, blocked

    running, blocked = asyncio.run(run())
    assert pulse.has_begun
    assert running < 0.2 <= blocked
    os.close(end)
    assert pulse.update() >= blocked  # a pipe that was closed is no heartbeat
    pulse.close()


def test_two_processes_that_were_stopped_together_do_not_take_each_other_for_hung(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(heartbeat, "MAX_STEP", 0.05)
    pipe, end = os.pipe()
    pulse = heartbeat.Pulse(pipe)
    heartbeat.beat(end)
    assert pulse.update() == 0.0
    time.sleep(0.3)  # both are stopped
    assert pulse.update() == 0.05
    time.sleep(0.3)
    assert pulse.update() == 0.1
    heartbeat.beat(end)
    assert pulse.update() == 0.0
    os.close(end)
    pulse.close()


def test_a_supervisor_that_has_ended_or_does_not_read_is_no_error() -> None:
    pipe, end = os.pipe()
    app = web.Application()
    heartbeat.send(app, end, interval=0.001)
    os.set_blocking(end, False)
    while True:
        try:
            os.write(end, b"." * 65536)
        except BlockingIOError:
            break

    async def run() -> None:
        runner = web.AppRunner(app)
        await runner.setup()
        await asyncio.sleep(0.02)
        os.close(pipe)
        await asyncio.sleep(0.02)
        await runner.cleanup()

    asyncio.run(run())
    os.close(end)


def test_without_a_supervisor_nothing_is_sent() -> None:
    app = web.Application()
    heartbeat.send(app, None)
    assert len(app.cleanup_ctx) == 0

"""Health checks of the server behind a gateway, and its restarts."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
from prometheus_client import Counter

from mlrunner.serving.gateway_routes import Route

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HealthCheck:
    """Hold the timing of health checks and restarts.

    Args:
        interval: Seconds between two checks.
        timeout: Maximum seconds of one check.
        timeouts: Number of checks in a row that exceed it before the server counts as hung; one may only be busy.
        restart_delays: Minimum seconds between two restarts, by number of failed restarts; the last one repeats.
    """

    interval: float = 1.0
    timeout: float = 3.0
    timeouts: int = 3
    restart_delays: tuple[float, ...] = (0.0, 5.0, 15.0, 60.0)


class HealthMonitor:
    """Check a server, and restart it when it has ended, hangs, or another process is in its place.

    Args:
        route: Function that returns the current route.
        timing: Timing of checks and restarts.
        restarts: Counter of restarts.
    """

    def __init__(self, route: Callable[[], Route], timing: HealthCheck, restarts: Counter) -> None:
        self._route, self._timing, self._restarts = route, timing, restarts
        self._process: subprocess.Popen[bytes] | None = None
        self._timeouts = 0  # in a row

    async def run(self, session: aiohttp.ClientSession) -> None:
        """Check the server until cancelled, with a longer delay after each failed restart."""
        attempts, next_at, delays = 0, 0.0, self._timing.restart_delays
        while True:
            await asyncio.sleep(self._timing.interval)
            is_restarting = self._process is not None and self._process.poll() is None
            if not await self._needs_restart(session):
                attempts = attempts if self._timeouts else 0
            elif time.monotonic() >= next_at and not is_restarting:
                self._restarts.inc()
                self._start_restart()
                attempts, self._timeouts = attempts + 1, 0
                next_at = time.monotonic() + delays[min(attempts, len(delays) - 1)]

    def close(self) -> None:
        """Reap a restart command that has ended."""
        if self._process is not None:
            self._process.poll()

    def _start_restart(self) -> None:
        try:
            self._process = subprocess.Popen(self._route().restart, stdin=subprocess.DEVNULL)
        except (OSError, LookupError, ValueError):
            log.exception("the restart command cannot be run")

    async def _needs_restart(self, session: aiohttp.ClientSession) -> bool:
        """Check the server once, and count the checks in a row that it has not answered in time."""
        route, timeout = self._route(), aiohttp.ClientTimeout(self._timing.timeout)
        try:
            async with session.get(f"{route.url}/ping", timeout=timeout, trace_request_ctx=route):
                self._timeouts = 0
                return False
        except TimeoutError:
            self._timeouts += 1
            return self._timeouts >= self._timing.timeouts
        except (aiohttp.ClientError, OSError, ValueError):
            return True

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
        timeout: Maximum seconds of one check; a server that accepts the connection is alive even when it exceeds them.
        restart_delays: Minimum seconds between two restarts, by number of failed restarts; the last one repeats.
    """

    interval: float = 1.0
    timeout: float = 5.0
    restart_delays: tuple[float, ...] = (0.0, 5.0, 15.0, 60.0)


class HealthMonitor:
    """Check a server, and restart it when it does not answer.

    Args:
        route: Function that returns the current route.
        timing: Timing of checks and restarts.
        restarts: Counter of restarts.
    """

    def __init__(self, route: Callable[[], Route], timing: HealthCheck, restarts: Counter) -> None:
        self._route, self._timing, self._restarts = route, timing, restarts
        self._process: subprocess.Popen[bytes] | None = None

    async def run(self, session: aiohttp.ClientSession) -> None:
        """Check the server until cancelled, with a longer delay after each failed restart."""
        attempts, next_at, delays = 0, 0.0, self._timing.restart_delays
        while True:
            await asyncio.sleep(self._timing.interval)
            is_restarting = self._process is not None and self._process.poll() is None
            if await self._is_alive(session):
                attempts = 0
            elif time.monotonic() >= next_at and not is_restarting:
                self._restarts.inc()
                self._start_restart()
                attempts += 1
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

    async def _is_alive(self, session: aiohttp.ClientSession) -> bool:
        """Check whether the server accepts a connection; a busy server is alive."""
        timeout = aiohttp.ClientTimeout(self._timing.timeout)
        try:
            async with session.get(f"{self._route().url}/ping", timeout=timeout):
                return True
        except TimeoutError:
            return True
        except (aiohttp.ClientError, OSError, ValueError):
            return False

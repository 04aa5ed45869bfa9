"""A closed loop of clients on persistent connections. Reads a plan from standard input, prints the measurements.

A plan is JSON: `url`, `bodies` (a file, one body a line), `clients`, `requests` and `seconds` (the cell ends with
whichever comes first) and `warm` (requests that are not counted). Each client sends its next request after a response.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from itertools import count, cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

LOOPBACK = "127.0.0.1"
HEADERS = {"Content-Type": "application/json"}
TIMEOUT = aiohttp.ClientTimeout(total=60)


class Load:
    """The clients of one load.

    Args:
        plan: Plan in the format above.
    """

    def __init__(self, plan: dict[str, Any]) -> None:
        if urlsplit(plan["url"]).hostname != LOOPBACK:
            raise SystemExit(f"only {LOOPBACK} is asked, not {plan['url']}")
        self._plan = plan
        self._bodies = cycle(Path(plan["bodies"]).read_bytes().splitlines())
        self._seconds: list[float] = []
        self._errors: Counter[str] = Counter()
        self._sent = 0  # warm-up included

    async def run(self) -> dict[str, Any]:
        """Warm up, run the load, and return the seconds of each request."""
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, headers=HEADERS, timeout=TIMEOUT) as self._session:
            await self._run_clients(self._plan["warm"], 30.0)
            self._seconds.clear()
            self._errors.clear()
            start_time, busy = time.perf_counter(), time.process_time()
            await self._run_clients(self._plan["requests"], self._plan["seconds"])
            wall, busy = time.perf_counter() - start_time, time.process_time() - busy
        measured = {"latencies": self._seconds, "errors": dict(self._errors), "asked": self._sent}
        return {"wall": wall, "client_cpu": busy, "whole_cpu": time.process_time(), **measured}

    async def _run_clients(self, requests: int, seconds: float) -> None:
        numbers, until = count(), time.perf_counter() + seconds
        await asyncio.gather(*(self._run_client(numbers, requests, until) for _ in range(self._plan["clients"])))

    async def _run_client(self, numbers: count[int], requests: int, until: float) -> None:
        while next(numbers) < requests and time.perf_counter() < until:
            start_time = time.perf_counter()
            self._sent += 1
            error = await self._send(next(self._bodies))
            if error is None:
                self._seconds.append(time.perf_counter() - start_time)
            else:
                self._errors[error] += 1
                await asyncio.sleep(0.01)  # avoids millions of requests to a server that refuses connections

    async def _send(self, body: bytes) -> str | None:
        """Send one request; return the error, or None."""
        try:
            async with self._session.post(self._plan["url"], data=body) as answer:
                text = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            return type(error).__name__
        return None if answer.status == 200 else f"{answer.status} {text[:200].decode(errors='replace')}"


if __name__ == "__main__":
    print(json.dumps(asyncio.run(Load(json.load(sys.stdin)).run())))

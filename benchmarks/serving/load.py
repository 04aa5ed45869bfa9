"""The load: a closed loop of clients on kept connections. Reads a plan from standard input, prints what it saw.

A plan is JSON: `url`, `bodies` (a file, one body a line), `clients`, `requests` and `seconds` (the cell ends with
whichever comes first) and `warm` (requests that are not counted). Each client asks again as soon as it is answered.
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
PATIENCE = aiohttp.ClientTimeout(total=60)


class Load:
    """The clients of one cell.

    Args:
        plan: See above.
    """

    def __init__(self, plan: dict[str, Any]) -> None:
        if urlsplit(plan["url"]).hostname != LOOPBACK:
            raise SystemExit(f"only {LOOPBACK} is asked, not {plan['url']}")
        self._plan = plan
        self._bodies = cycle(Path(plan["bodies"]).read_bytes().splitlines())
        self._seconds: list[float] = []
        self._errors: Counter[str] = Counter()
        self._asked = 0  # those for warmth too

    async def run(self) -> dict[str, Any]:
        """Warm up, load, and tell the seconds of each request."""
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, headers=HEADERS, timeout=PATIENCE) as self._session:
            await self._all(self._plan["warm"], 30.0)
            self._seconds.clear()
            self._errors.clear()
            began, busy = time.perf_counter(), time.process_time()
            await self._all(self._plan["requests"], self._plan["seconds"])
            wall, busy = time.perf_counter() - began, time.process_time() - busy
        seen = {"latencies": self._seconds, "errors": dict(self._errors), "asked": self._asked}
        return {"wall": wall, "client_cpu": busy, "whole_cpu": time.process_time(), **seen}

    async def _all(self, requests: int, seconds: float) -> None:
        numbers, until = count(), time.perf_counter() + seconds
        await asyncio.gather(*(self._client(numbers, requests, until) for _ in range(self._plan["clients"])))

    async def _client(self, numbers: count[int], requests: int, until: float) -> None:
        while next(numbers) < requests and time.perf_counter() < until:
            began = time.perf_counter()
            self._asked += 1
            failed = await self._failed(next(self._bodies))
            if failed is None:
                self._seconds.append(time.perf_counter() - began)
            else:
                self._errors[failed] += 1
                await asyncio.sleep(0.01)  # a server that refuses at once is not asked a million times

    async def _failed(self, body: bytes) -> str | None:
        """Ask once; what went wrong, or None."""
        try:
            async with self._session.post(self._plan["url"], data=body) as answer:
                text = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            return type(error).__name__
        return None if answer.status == 200 else f"{answer.status} {text[:200].decode(errors='replace')}"


if __name__ == "__main__":
    print(json.dumps(asyncio.run(Load(json.load(sys.stdin)).run())))

"""What is measured of a server: cells of load, and whether its answers are the model's own."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving import noise
from serving.model import HERE
from serving.starting import Running

ALIKE = 1e-6  # how far a prediction may be from the model's own
DISTURBED = 0.4  # cores that others used during a load, above which it is put on again
Told = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """A kind of load.

    Args:
        bodies: The file of them.
        rows: Of each body.
        clients: At once.
        requests: At most so many; the time of a cell is bounded too.
    """

    bodies: str
    rows: int
    clients: int
    requests: int


CELLS = {
    "1 row, 1 client": Cell("one.jsonl", 1, 1, 500),
    "1 row, 16 clients": Cell("one.jsonl", 1, 16, 3000),
    "1,000 rows, 1 client": Cell("many.jsonl", 1000, 1, 150),
    "1,000 rows, 4 clients": Cell("many.jsonl", 1000, 4, 150),
}


def quietest(tries: int, work: Callable[[], Told]) -> Told:
    """Put a load on again while others disturb it, at most so many times; the quietest counts, for every server."""
    found = [work()]
    while found[-1]["others"] > DISTURBED and len(found) < tries:
        found.append(work())
    return min(found, key=lambda one: float(one["others"])) | {"tries": len(found)}


def load(cell: Cell, server: Running, everybody: set[int], folder: Path, seconds: float, calm: float) -> Told:
    """Put a cell's load on a server from another process.

    Args:
        cell: The load.
        server: That is asked.
        everybody: The processes of all servers, for what of the processor's time was others'.
        folder: With the bodies.
        seconds: The cell lasts so long at most.
        calm: Seconds to wait at most for a quiet moment.
    """
    before = noise.wait(calm)
    few = {"requests": cell.requests, "seconds": seconds, "warm": 3 * cell.clients, "clients": cell.clients}
    plan = json.dumps({"url": server.url, "bodies": str(folder / cell.bodies), **few})
    began, busy, all_of_us, mine = time.perf_counter(), noise.busy(), noise.used(everybody), noise.used(server.pids)
    done = subprocess.run(
        [sys.executable, str(HERE / "load.py")], input=plan, capture_output=True, text=True, check=True, timeout=180
    )
    wall = time.perf_counter() - began
    told = json.loads(done.stdout)
    others = noise.busy() - busy - (noise.used(everybody) - all_of_us) - told["whole_cpu"]
    asked = max(1, told["asked"])
    machine = {"quiet": before, "others": max(0.0, others / wall), "load": os.getloadavg()[0]}
    return {**figures(told, cell), "cpu_ms": (noise.used(server.pids) - mine) / asked * 1000, **machine}


def figures(told: Told, cell: Cell) -> Told:
    """Make figures of what the load saw."""
    found, wall = sorted(told["latencies"]), told["wall"]
    cuts = statistics.quantiles(found, n=100) if len(found) > 1 else [math.nan] * 99
    return {
        "requests": len(found),
        "p50_ms": cuts[49] * 1000,
        "p99_ms": cuts[98] * 1000,
        "requests_s": len(found) / wall,
        "rows_s": len(found) * cell.rows / wall,
        "client_cores": told["client_cpu"] / wall,
        "errors": told["errors"],
    }


def check(server: Running, folder: Path) -> Told:
    """Compare a server's answers with the model's own: each row by itself, and all of them together."""
    expected = json.loads((folder / "expected.json").read_text())
    bodies = (folder / "one.jsonl").read_text().splitlines()
    rows = [row for body in bodies for row in json.loads(body)["dataframe_records"]]
    alone = [value for body in bodies for value in predictions(server.url, body)]
    together = predictions(server.url, json.dumps({"dataframe_records": rows}))
    pairs = [*zip(expected, alone, strict=True), *zip(expected, together, strict=True)]
    worst = max(abs(float(one) - float(other)) for one, other in pairs)
    return {"rows": len(rows), "worst": worst, "equal": worst <= ALIKE}


def predictions(url: str, body: str) -> list[Any]:
    """Ask a server for predictions."""
    request = urllib.request.Request(url, body.encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        told = json.load(answer)
    return list(told["predictions"] if isinstance(told, dict) else told)

"""Soak of a deployment: one-row requests without pause, while processes are killed and others misuse the service.

python benchmarks/soak.py [--seconds 600] [--clients 16] [--workers 1] deploys a model into a temporary home by
`mlrunner deploy`, and prints one table: what became of the ordinary requests, after how long each fault was mended, and
what memory, descriptors and logs have grown to. Every answer is compared with the model's own prediction. It exits 1
after a wrong answer or a fault that was not mended.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import math
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from mlrunner.core import loopback
from mlrunner.serving import identity
from mlrunner.serving.model import load_release

NAME = "soak"  # of the deployment
JSON = {"Content-Type": "application/json"}
GZIP = {**JSON, "Content-Encoding": "gzip"}
HALF = (
    b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{"
)
HALF_BODIES, IDLE_CONNECTIONS = 200, 4500  # the latter exceed what a gateway keeps open
TIMEOUT, MEND_SECONDS = 120.0, 90.0
ROLES = ("server", "gateway", "supervisor")
FAULTS = [(role, number) for number in (signal.SIGKILL, signal.SIGSTOP) for role in ROLES]
# Of several workers one is killed or stopped as well; their parent is the server.
WORKER_FAULTS = [("worker", number) for number in (signal.SIGKILL, signal.SIGSTOP)]
CAUSES = (OSError, aiohttp.ClientError, TimeoutError)


@dataclass
class Outcome:
    """Count what became of the requests."""

    seconds: list[float] = field(default_factory=list)  # of the ordinary requests, whatever became of them
    ordinary: Counter[str] = field(default_factory=Counter)
    hostile: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[str, float, float | None]] = field(default_factory=list)  # fault, when, until mended
    peaks: Counter[str] = field(default_factory=Counter)


class Deployment:
    """The processes and files of the deployment in a home."""

    def __init__(self, home: Path, port: int) -> None:
        self.url, self._home = f"http://127.0.0.1:{port}", home
        self.folder = home / ".mlrunner" / "deployments" / NAME

    def find(self, role: str) -> psutil.Process:
        """Return the process that has a role now."""
        server = psutil.Process(self.server["pid"])
        if role in ("server", "worker"):
            return server if role == "server" else server.children()[0]
        supervisor = psutil.Process(int((self.folder / "gateway.pid").read_text()))
        return supervisor if role == "supervisor" else supervisor.children()[0]

    @property
    def server(self) -> dict[str, Any]:
        """What the state says of the server."""
        return dict(json.loads((self.folder / "state.json").read_text())["active"])

    def is_mended(self, role: str, victim: int) -> bool:
        """Check that another process has the role of the victim, and that the server answers through the gateway."""
        with suppress(OSError, ValueError, LookupError, psutil.Error):
            is_gone = not psutil.pid_exists(victim)
            return (is_gone or self.find(role).pid != victim) and identity.is_own(self.url, self.server["token"])
        return False

    def measure(self) -> dict[str, int]:
        """Return megabytes and descriptors of the processes, and bytes of all logs."""
        sizes = {"bytes of logs": sum(file.stat().st_size for file in self._home.rglob("*.log*"))}
        for role in ("gateway", "server"):
            with suppress(OSError, ValueError, LookupError, psutil.Error):
                process = self.find(role)
                sizes[f"MB of {role}"] = process.memory_info().rss >> 20
                sizes[f"descriptors of {role}"] = process.num_fds()
        return sizes


def main() -> int:
    """Deploy, soak, stop and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--clients", type=int, default=16, help="ordinary requests at once")
    parser.add_argument("--workers", type=int, default=1, help="deployer.workers")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the deployment is stopped at any end
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with tempfile.TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as home:
        port = loopback.free_port()
        deployment = Deployment(Path(home), port)
        try:
            rows = deploy(Path(home), port, options.workers)
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            bodies = [json.dumps({"dataframe_records": [row]}).encode() for row in rows]
            model = load_release(deployment.folder / "releases" / "1")
            expected = [float(model.answer(body)[0]) for body in bodies]
            before = deployment.measure()
            outcome = asyncio.run(soak(deployment, options, list(zip(bodies, expected, strict=True)), rows[0]))
            time.sleep(3)
            after = deployment.measure()
        finally:
            run(Path(home), "stop", NAME)
    return report(options, outcome, before, after)


def deploy(home: Path, port: int, workers: int) -> list[dict[str, Any]]:
    """Fit a model on the diabetes table with a column of dates, and deploy it; return the raw rows."""
    from sklearn.datasets import load_diabetes

    table = load_diabetes(as_frame=True).frame
    table["day"] = [f"2020-{1 + number % 12:02d}-{1 + number % 28:02d}" for number in range(len(table))]
    table.to_csv(home / "table.csv", index=False)
    run(home, "dataset=csv", f"dataset.path={home}/table.csv", "dataset.target=target", "cleaning=full")
    target = (f"deployer.name={NAME}", f"deployer.port={port}", f"deployer.workers={workers}")
    run(home, "deploy", "latest", "gate=none", "deployer=local", *target)
    return list(json.loads(table.drop(columns="target").to_json(orient="records")))


def run(home: Path, *arguments: str) -> None:
    """Run a command of mlrunner with a home of its own."""
    command, variables = [sys.executable, "-m", "mlrunner", *arguments], {**os.environ, "MLRUNNER_HOME": str(home)}
    subprocess.run(command, env=variables, cwd=home, check=arguments[0] != "stop", stdout=subprocess.DEVNULL)


async def soak(
    deployment: Deployment, options: argparse.Namespace, cases: list[tuple[bytes, float]], row: dict[str, Any]
) -> Outcome:
    """Run clients, misuse and faults at once until the time is up."""
    outcome, end = Outcome(), time.monotonic() + options.seconds
    hostile = hostile_requests(row)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(TIMEOUT)) as session:
        background = [
            asyncio.create_task(work)
            for work in (
                misuse(session, deployment.url, hostile, outcome),
                hold_connections(deployment.url, b"", IDLE_CONNECTIONS),
                hold_connections(deployment.url, HALF, HALF_BODIES),
                sample(deployment, outcome),
            )
        ]
        clients = [send(session, deployment.url, cases[n:] + cases[:n], outcome, end) for n in range(options.clients)]
        await asyncio.gather(inject(deployment, outcome, options.seconds, end, options.workers), *clients)
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
    return outcome


async def send(
    session: aiohttp.ClientSession, url: str, cases: list[tuple[bytes, float]], outcome: Outcome, end: float
) -> None:
    """Send ordinary requests, one after the other, and judge each answer."""
    number = 0
    while time.monotonic() < end:
        body, expected = cases[number % len(cases)]
        number, start, pause = number + 1, time.monotonic(), 0.0
        try:
            async with session.post(f"{url}/invocations", data=body, headers=JSON) as response:
                content = await response.json(content_type=None)
                result = judge(response.status, response.headers.get("Retry-After"), content, expected)
        except (*CAUSES, ValueError) as error:
            result, pause = f"failed: {type(error).__name__}", 0.05
        outcome.ordinary[result] += 1
        outcome.seconds.append(time.monotonic() - start)
        await asyncio.sleep(0.2 if result.startswith("refused") else pause)


def judge(status: int, retry_after: str | None, content: Any, expected: float) -> str:
    """Say what an answer is: answered, refused for a while, or failed."""
    if status == 503 and retry_after is not None:
        return f"refused: {content['message'].partition(';')[0]}"
    if status != 200:
        return f"failed: status {status}"
    return "answered" if math.isclose(content["predictions"][0], expected, rel_tol=1e-6) else "failed: wrong answer"


def hostile_requests(row: dict[str, Any]) -> list[tuple[str, bytes, dict[str, str]]]:
    """Create requests that must be refused: a small one of each kind, and those that cost most."""
    values = [list(row.values())] * 200_000 + [[*list(row.values())[:-1], "2020-02-31"]]
    table = json.dumps({"dataframe_split": {"columns": list(row), "data": values}}).encode()
    bomb = zlib.compressobj(9, wbits=31)
    zeros = b"".join(bomb.compress(bytes(1 << 24)) for _ in range(64)) + bomb.flush()
    array = b'{"dataframe_records":[' + b"{}," * 15_000_000 + b"{}]}"
    return [
        ("a bad date", json.dumps({"dataframe_records": [{**row, "day": "bad"}]}).encode(), JSON),
        ("no JSON", b'{"dataframe_records": [', JSON),
        ("a bad date in 200,000 rows", table, JSON),
        ("gzip of 1 GB", zeros, GZIP),
        ("15,000,000 empty objects", array, JSON),
        ("the same as gzip", gzip.compress(array, 6), GZIP),
    ]  # fmt: skip


async def misuse(
    session: aiohttp.ClientSession, url: str, requests: list[tuple[str, bytes, dict[str, str]]], outcome: Outcome
) -> None:
    """Send hostile requests in turn, and count how each is answered."""
    while True:
        for name, body, headers in requests:
            try:
                async with session.post(f"{url}/invocations", data=body, headers=headers) as response:
                    await response.read()
                    result = str(response.status)
            except CAUSES as error:
                result = type(error).__name__
            outcome.hostile[f"{name}: {result}"] += 1
            await asyncio.sleep(0.2)


async def hold_connections(url: str, content: bytes, count: int) -> None:
    """Keep connections open that send nothing more, and open again those that are closed."""
    port = int(url.rpartition(":")[2])
    opened: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    while True:
        for reader, writer in opened:
            if reader.at_eof() or reader.exception():
                writer.transport.abort()
        opened = [(reader, writer) for reader, writer in opened if not writer.transport.is_closing()]
        with suppress(*CAUSES):
            for _ in range(min(250, count - len(opened))):
                async with asyncio.timeout(5):  # `wait_for` of Python 3.11 may lose the cancellation at the end
                    opened.append(await asyncio.open_connection("127.0.0.1", port))
                opened[-1][1].write(content)
        await asyncio.sleep(0.2)


async def sample(deployment: Deployment, outcome: Outcome) -> None:
    """Keep the peak of what the processes use."""
    while True:
        outcome.peaks |= Counter(await asyncio.to_thread(deployment.measure))
        await asyncio.sleep(1)


async def inject(deployment: Deployment, outcome: Outcome, seconds: float, end: float, workers: int) -> None:
    """Kill and stop the processes at fixed times, and wait until each is replaced."""
    start = end - seconds
    faults = FAULTS if workers == 1 else [*FAULTS, *WORKER_FAULTS]
    for number, (role, signal_number) in enumerate(faults):
        await asyncio.sleep(start + seconds * (number + 0.5) / (len(faults) + 0.5) - time.monotonic())
        victim, at = deployment.find(role), time.monotonic()
        victim.send_signal(signal_number)
        is_mended = await wait_for(partial(deployment.is_mended, role, victim.pid))
        seconds_until = time.monotonic() - at if is_mended else None
        outcome.faults.append((f"{signal.Signals(signal_number).name} {role}", at - start, seconds_until))


async def wait_for(condition: Callable[[], bool]) -> bool:
    """Wait until a condition holds."""
    deadline = time.monotonic() + MEND_SECONDS
    while not await asyncio.to_thread(condition):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.1)
    return True


def report(options: argparse.Namespace, outcome: Outcome, before: dict[str, int], after: dict[str, int]) -> int:
    """Print the table; return the exit code."""
    seconds = sorted(outcome.seconds) or [math.nan]
    lines = [("seconds, clients, workers", f"{options.seconds:g}, {options.clients}, {options.workers}")]
    lines += [("ordinary requests", f"{outcome.ordinary.total():,}")]
    lines += [(f"… {result}", f"{count:,}") for result, count in sorted(outcome.ordinary.items())]
    for limit in (1, 10):
        lines.append((f"… ended after more than {limit} s", f"{sum(value > limit for value in seconds):,}"))
    quantiles = [seconds[int((len(seconds) - 1) * q)] for q in (0.5, 0.99, 1)]
    lines.append(("median, 99 %, longest", ", ".join(f"{value:.3f} s" for value in quantiles)))
    lines += [(f"hostile: {result}", f"{count:,}") for result, count in sorted(outcome.hostile.items())]
    for fault, at, mended in outcome.faults:
        lines.append((f"{fault} at {at:.0f} s", "NOT MENDED" if mended is None else f"mended after {mended:.1f} s"))
    for name in sorted(before):
        lines.append(
            (f"{name}: before, peak, after", f"{before[name]}, {outcome.peaks[name]}, {after.get(name, 'gone')}")
        )
    print("| what | figure |\n|---|---|")
    print("\n".join(f"| {name} | {value} |" for name, value in lines))
    is_broken = outcome.ordinary["failed: wrong answer"] or any(mended is None for _, _, mended in outcome.faults)
    return 1 if is_broken else 0


if __name__ == "__main__":
    sys.exit(main())

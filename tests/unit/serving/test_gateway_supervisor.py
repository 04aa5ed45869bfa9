"""The gateway and its supervisor: each of the two can be killed or stopped at any time."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mlrunner.core import process_control
from mlrunner.core.loopback import free_port
from mlrunner.serving import gateway_supervisor, workers
from tests.support.front_door import PROJECT
from tests.support.gateways import Backend, is_listening, write_state
from tests.support.http_client import Client, wait_until

WITH_SHORT_PATIENCE = "import sys; from mlrunner.serving import gateway_supervisor as g; " + (
    "run = g.workers.run_workers; "
    "g.workers.run_workers = lambda *given: run(*given, hang_seconds=1.5); sys.exit(g.main())"
)


@pytest.fixture
def port(tmp_path: Path, backend: tuple[Backend, int]) -> Iterator[int]:
    """Start a supervised gateway, whose supervisor replaces one that hangs for 1.5 s."""
    stable = free_port()
    write_state(tmp_path, backend[1])
    state = json.loads((tmp_path / "state.json").read_text())
    (tmp_path / "state.json").write_text(json.dumps({**state, "port": stable}))
    process = subprocess.Popen([sys.executable, "-c", WITH_SHORT_PATIENCE, str(tmp_path)], cwd=PROJECT)
    try:
        wait_until(lambda: is_listening(stable))
        wait_until(lambda: process_control.find_processes(f"{tmp_path} --fd"))
        yield stable
    finally:
        process.terminate()
        process.wait(20)
        wait_until(lambda: not is_listening(stable))
        wait_until(lambda: process_control.find_processes(str(tmp_path)) == [])


def ask(port: int) -> int:
    with Client(port) as client:
        return client.get("/x").status


def find_gateway(folder: Path) -> psutil.Process:
    (pid,) = (pid for pid in process_control.find_processes(str(folder)) if "--master" in psutil.Process(pid).cmdline())
    return psutil.Process(pid)


def test_a_gateway_that_ends_or_hangs_is_replaced_and_connections_wait(port: int, tmp_path: Path) -> None:
    assert ask(port) == 200
    killed = find_gateway(tmp_path)
    killed.kill()
    assert ask(port) == 200  # the socket stays open
    stopped = find_gateway(tmp_path)
    assert stopped != killed
    stopped.send_signal(signal.SIGSTOP)
    assert ask(port) == 200
    assert find_gateway(tmp_path) != stopped


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_a_gateway_whose_supervisor_was_killed_or_stopped_becomes_the_supervisor(
    port: int, tmp_path: Path, number: signal.Signals
) -> None:
    assert ask(port) == 200
    gateway = find_gateway(tmp_path)
    gateway.parent().send_signal(number)  # type: ignore[union-attr]
    wait_until((tmp_path / gateway_supervisor.PID_FILE).exists, workers.HANG_SECONDS + 10)
    assert int((tmp_path / gateway_supervisor.PID_FILE).read_text()) == gateway.pid
    assert ask(port) == 200
    assert wait_until(lambda: find_gateway(tmp_path)).parent() == gateway
    gateway.terminate()


def test_a_supervisor_needs_little_memory() -> None:
    script = (
        "import sys, mlrunner.serving.gateway_supervisor; print({'aiohttp', 'asyncio', 'numpy'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", script]
    assert subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.strip() == "set()"

"""Health checks and restarts of the server behind a gateway."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from mlrunner.core.loopback import free_port
from mlrunner.serving.health_check import HealthCheck
from tests.support.front_door import PROJECT
from tests.support.gateways import Backend, Flaky, is_listening, run_gateway, write_state
from tests.support.http_client import Client, serve, wait_until

SERVER = """
import http.server, json, os, sys
from mlrunner.serving import identity
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        proof = json.dumps(identity.prove("token", self.path.partition("=")[2]))
        body = (proof if self.path.startswith(identity.PATH) else str(os.getpid())).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


RECORD_TIME = "import sys, time; print(time.time(), file=open(sys.argv[1], 'a'))"


BLOCK = """
import os, sys, time
print("started", file=open(sys.argv[1], "a"))
while not os.path.exists(sys.argv[2]):
    time.sleep(0.01)
"""


def read_lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def test_a_killed_server_is_restarted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    health_check = HealthCheck(interval=0.05, restart_delays=(0.0, 60.0))  # the first restart must succeed
    monkeypatch.chdir(PROJECT)
    port, pid_file, script = free_port(), tmp_path / "pid", tmp_path / "server.py"
    script.write_text(SERVER)
    daemon = (sys.executable, "-m", "mlrunner.serving.daemon", str(pid_file), str(tmp_path / "log"))
    command = (*daemon, sys.executable, str(script), str(port))
    subprocess.run(command, check=True)
    first = int(pid_file.read_text())
    wait_until(lambda: is_listening(port))
    write_state(tmp_path, port, restart=command)
    try:
        with run_gateway(tmp_path, health_check) as stable, Client(stable) as client:
            assert client.get("/pid").body == str(first).encode()
            psutil.Process(first).kill()
            answer = wait_until(lambda: reply if (reply := client.get("/pid")).status == 200 else None)
            assert int(answer.body) != first
            assert int(answer.body) == int(pid_file.read_text())
            assert count_restarts(client) == 1
    finally:
        psutil.Process(int(pid_file.read_text())).kill()


def count_restarts(client: Client) -> float:
    lines = client.get("/metrics").body.decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("mlrunner_gateway_restarts_total"))


@pytest.fixture
def end_restarts(tmp_path: Path, backend: tuple[Backend, int]) -> Callable[[], None]:
    """Return a function that names a running server, and waits until no restart command runs."""
    others = set(psutil.Process().children())

    def wait() -> None:
        write_state(tmp_path, backend[1])
        before = backend[0].pings
        wait_until(lambda: backend[0].pings > before + 2)
        wait_until(lambda: set(psutil.Process().children()) <= others)

    return wait


def test_the_delay_grows_with_each_restart(tmp_path: Path, end_restarts: Callable[[], None]) -> None:
    health_check = HealthCheck(interval=0.02, restart_delays=(0.0, 0.4, 0.8, 3600.0))
    record = tmp_path / "record"
    write_state(tmp_path, free_port(), restart=(sys.executable, "-c", RECORD_TIME, str(record)))
    with run_gateway(tmp_path, health_check) as port, Client(port) as client:
        wait_until(lambda: len(read_lines(record)) == 3)
        times = [float(line) for line in read_lines(record)]
        assert count_restarts(client) == 3
        end_restarts()
    slack = 0.3  # start times of the interpreter vary
    assert times[1] - times[0] > 0.4 - slack
    assert times[2] - times[1] > 0.8 - slack
    assert len(read_lines(record)) == 3


def test_one_restart_runs_at_a_time(tmp_path: Path, end_restarts: Callable[[], None]) -> None:
    health_check = HealthCheck(interval=0.01, restart_delays=(0.0, 0.0))
    record, go = tmp_path / "record", tmp_path / "go"
    with Flaky([0]) as server:
        write_state(tmp_path, server.port, restart=(sys.executable, "-c", BLOCK, str(record), str(go)))
        with run_gateway(tmp_path, health_check) as port, Client(port) as client:
            wait_until(lambda: read_lines(record))
            before = server.connections
            wait_until(lambda: server.connections > before + 10)
            assert count_restarts(client) == 1
            go.touch()
            wait_until(lambda: len(read_lines(record)) > 1)
            wait_until(lambda: count_restarts(client) > 1)
            end_restarts()


@pytest.mark.parametrize("command", [("/no/such/program",), ()], ids=["absent", "empty"])
def test_health_checks_continue_after_a_restart_command_that_cannot_be_run(
    tmp_path: Path, end_restarts: Callable[[], None], command: tuple[str, ...]
) -> None:
    health_check = HealthCheck(interval=0.01, restart_delays=(0.0, 0.01, 0.02, 0.05))
    record = tmp_path / "record"
    write_state(tmp_path, port := free_port(), restart=command)
    with run_gateway(tmp_path, health_check) as stable, Client(stable) as client:
        wait_until(lambda: count_restarts(client) > 2)
        write_state(tmp_path, port, restart=(sys.executable, "-c", RECORD_TIME, str(record)))
        wait_until(lambda: read_lines(record))
        end_restarts()


@pytest.mark.parametrize(("timeouts", "restarts"), [(4, 1), (5, 0)], ids=["hung", "busy"])
def test_a_server_that_hangs_is_restarted_and_a_busy_one_is_not(tmp_path: Path, timeouts: int, restarts: int) -> None:
    health_check = HealthCheck(interval=0.01, timeout=0.05, timeouts=timeouts, restart_delays=(3600.0,))
    with ExitStack() as stack:
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=100))
        write_state(tmp_path, silent.getsockname()[1])
        client = stack.enter_context(Client(stack.enter_context(run_gateway(tmp_path, health_check))))
        for _ in range(5):  # the fifth begins when four have timed out
            stack.enter_context(silent.accept()[0])
        assert count_restarts(client) == restarts


def test_another_process_on_the_port_is_replaced_and_gets_no_rows(tmp_path: Path) -> None:
    foreign = Backend("foreign")
    health_check = HealthCheck(interval=0.01, restart_delays=(3600.0,))
    with serve(foreign.application) as other:
        write_state(tmp_path, other, token="another token")
        with run_gateway(tmp_path, health_check) as port, Client(port) as client:
            assert client.post(b"secret rows").status == 503
            wait_until(lambda: count_restarts(client) == 1)
    assert (foreign.requests, foreign.pings) == ([], 0)


def test_health_checks_continue_without_a_state(tmp_path: Path, backend: tuple[Backend, int]) -> None:
    write_state(tmp_path, backend[1])
    with run_gateway(tmp_path, HealthCheck(interval=0.01)):
        (tmp_path / "state.json").unlink()
        before = backend[0].pings
        wait_until(lambda: backend[0].pings > before + 3)
        (tmp_path / "state.json").write_text('{"active": null}')
        before = backend[0].pings
        wait_until(lambda: backend[0].pings > before + 3)

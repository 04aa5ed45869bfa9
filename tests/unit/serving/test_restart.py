"""A server that has ended or hangs is replaced, and whatever the restart is killed at leaves no server behind."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from filelock import FileLock

from mlrunner.core import process_control
from mlrunner.core.loopback import free_port
from mlrunner.serving import identity, restart
from tests.support.front_door import PROJECT
from tests.support.gateways import is_listening
from tests.support.http_client import wait_until

SERVER = """
import http.server, json, os, sys
from mlrunner.serving import identity
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(identity.prove(os.environ["MLRUNNER_TOKEN"], self.path.partition("=")[2])).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Handler).serve_forever()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Write the state of a deployment whose server has ended."""
    monkeypatch.chdir(PROJECT)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    (tmp_path / "server.py").write_text(SERVER)
    pid_file = str(tmp_path / "pid")
    daemon = [sys.executable, "-m", "mlrunner.serving.daemon", pid_file, str(tmp_path / "log")]
    launch = [*daemon, sys.executable, str(tmp_path / "server.py")]
    url = f"http://127.0.0.1:{free_port()}"
    server = {"url": url, "token": "old", "version": 1, "pid": 0, "pid_file": pid_file, "launch": launch}
    (tmp_path / "state.json").write_text(json.dumps({"active": server, "settings": {"start_timeout": 20}}))
    monkeypatch.setattr(sys, "argv", ["restart", str(tmp_path)])
    yield tmp_path
    process_control.terminate_all(str(tmp_path / "server.py"), grace=0.1)


def read_active(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "state.json").read_text())["active"])


def count_servers(folder: Path) -> int:
    return len(process_control.find_processes(str(folder / "server.py")))


def test_a_server_that_ended_is_started_on_its_port_with_another_token(folder: Path) -> None:
    before = read_active(folder)
    assert restart.main() == 0
    after = read_active(folder)
    assert identity.is_own(after["url"], after["token"])
    assert (after["url"], after["token"] != "old") == (before["url"], True)
    assert after["token"] not in " ".join(psutil.Process(after["pid"]).cmdline())
    assert restart.main() == 0  # it answers
    assert read_active(folder) == after
    assert count_servers(folder) == 1


def test_a_server_that_hangs_is_replaced(folder: Path) -> None:
    assert restart.main() == 0
    hung = read_active(folder)
    psutil.Process(hung["pid"]).send_signal(signal.SIGSTOP)
    assert restart.replace_server(folder, timeout=0.1) is not None
    after = read_active(folder)
    assert wait_until(lambda: identity.is_own(after["url"], after["token"]))
    assert not psutil.pid_exists(hung["pid"]) or process_control.has_ended(psutil.Process(hung["pid"]))
    assert count_servers(folder) == 1


def test_another_process_on_the_port_leads_to_another_port(folder: Path) -> None:
    port = int(read_active(folder)["url"].rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        assert restart.replace_server(folder, timeout=0.1) is not None
        after = read_active(folder)
        assert after["url"] != f"http://127.0.0.1:{port}"
        assert wait_until(lambda: identity.is_own(after["url"], after["token"]))


def test_a_restart_that_was_killed_leaves_a_server_that_the_next_one_finds(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start_and_die(command: list[str], **options: Any) -> None:
        run(command, **options)
        raise KeyboardInterrupt

    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", start_and_die)
    with pytest.raises(KeyboardInterrupt):
        restart.replace_server(folder, timeout=0.1)
    monkeypatch.undo()
    left = read_active(folder)
    assert wait_until(lambda: is_listening(int(left["url"].rpartition(":")[2])))
    psutil.Process(int((folder / "pid").read_text())).send_signal(signal.SIGSTOP)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    assert restart.replace_server(folder, timeout=0.1) is not None
    assert count_servers(folder) == 1


def test_a_server_that_does_not_start_is_an_error(folder: Path) -> None:
    (folder / "server.py").write_text("raise SystemExit(1)")
    assert restart.main() == 1


@pytest.mark.parametrize("state", ["locked", "stopped"])
def test_a_deployment_that_a_command_changes_or_that_is_stopped_is_left_alone(folder: Path, state: str) -> None:
    if state == "stopped":
        (folder / "state.json").write_text('{"active": null}')
        assert restart.main() == 0
    else:
        with FileLock(folder / "lock"):
            assert restart.main() == 0
    assert count_servers(folder) == 0


def test_a_restart_imports_neither_zenml_nor_mlflow() -> None:
    script = "import sys, mlrunner.serving.restart; print({'zenml', 'mlflow', 'aiohttp', 'pandas'} & set(sys.modules))"
    command = [sys.executable, "-c", script]
    assert subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.strip() == "set()"

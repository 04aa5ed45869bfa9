"""`python -m mlrunner.serving`: one process or several on one port, which come back, and end with their master."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.support import serving_release as releases
from tests.support.front_door import PROJECT
from tests.support.serving_release import Client, Saved, until

START = 60.0  # seconds until a server must answer, on a machine that is busy
SOON = 5.0  # seconds within which it must end; it takes one


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    return releases.regression(tmp_path_factory.mktemp("releases"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Served:
    """A server that was started by its command."""

    def __init__(self, folder: Path, port: int, *options: str) -> None:
        command = [sys.executable, "-m", "mlrunner.serving", str(folder), "--port", str(port), *options]
        self.port, self.process = port, subprocess.Popen(command, cwd=PROJECT, stderr=subprocess.PIPE, text=True)
        self.family, self.known = psutil.Process(self.process.pid), set[psutil.Process]()

    def workers(self) -> set[psutil.Process]:
        """The processes that it has started, and that are there."""
        try:
            found = {one for one in self.family.children() if one.status() != psutil.STATUS_ZOMBIE}
        except psutil.NoSuchProcess:
            return set()
        self.known |= found
        return found

    def answers(self) -> bool:
        """Tell whether a new connection is answered."""
        try:
            with Client(self.port) as client:
                return client.get("/ping").status == 200
        except (OSError, http.client.HTTPException):
            return False

    def end(self) -> tuple[int, str]:
        """Wait until it has ended.

        Returns:
            Its exit code and what it said.
        """
        _, said = self.process.communicate(timeout=START)
        return self.process.returncode, said


@contextmanager
def started(folder: Path, *options: str, port: int | None = None) -> Iterator[Served]:
    """Start a server, and leave nothing of it behind."""
    served = Served(folder, port or free_port(), *options)
    try:
        yield served
    finally:
        served.workers()
        served.process.kill()
        for worker in served.known:
            with suppress(psutil.NoSuchProcess):
                worker.kill()
        served.process.communicate(timeout=START)


def are_gone(processes: set[psutil.Process]) -> bool:
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes)


def is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def test_a_worker_that_dies_is_started_anew_and_all_end_when_asked(saved: Saved) -> None:
    rows = releases.rows(3)
    with started(saved.release.folder, "--workers", "2", "--token", "t") as served:
        until(served.answers, START)
        first = until(lambda: workers if len(workers := served.workers()) == 2 else None)
        killed = min(first, key=lambda one: one.pid)
        killed.kill()
        second = until(lambda: now if len(now := served.workers()) == 2 and killed not in now else None)
        assert len(first & second) == 1  # the other one goes on
        for _ in range(20):
            with Client(served.port) as client:  # another connection, hence maybe another worker
                assert client.predict(rows) == pytest.approx(saved.predict(rows), rel=1e-9)
        with Client(served.port) as idle:
            assert idle.get("/version").json["instance"] == "t"
            began = time.monotonic()
            served.process.send_signal(signal.SIGTERM)  # while a connection is open
            code, said = served.end()
            assert time.monotonic() - began < SOON
        assert (code, said) == (0, "")
        assert are_gone(first | second)
        assert is_free(served.port)


def test_a_master_that_is_killed_leaves_no_worker(saved: Saved) -> None:
    with started(saved.release.folder, "--workers", "2") as served:
        until(served.answers, START)
        workers = until(lambda: found if len(found := served.workers()) == 2 else None)
        for stopped in workers:  # whichever is left answers alone, once it is up
            stopped.suspend()
            until(served.answers, START)
            stopped.resume()
        served.process.kill()
        until(lambda: are_gone(workers), SOON)
        until(lambda: is_free(served.port), SOON)


def test_a_master_that_is_killed_at_once_leaves_no_worker(saved: Saved) -> None:
    with started(saved.release.folder, "--workers", "2") as served:
        workers = until(served.workers, START)
        served.process.kill()  # before the worker could have looked who its master is
        until(lambda: are_gone(workers), SOON)


def test_one_process_ends_when_asked(saved: Saved) -> None:
    with started(saved.release.folder) as served:
        until(served.answers, START)
        assert served.workers() == set()
        with Client(served.port) as idle:
            assert idle.get("/ping").status == 200
            began = time.monotonic()
            served.process.send_signal(signal.SIGINT)
            assert served.end() == (0, "")
            assert time.monotonic() - began < SOON


def test_a_model_that_cannot_be_loaded_is_told_and_ends_all(saved: Saved, tmp_path: Path) -> None:
    described = json.loads((saved.release.folder / "release.json").read_text())
    (tmp_path / "release.json").write_text(json.dumps(described))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / described["saved"]["file"]).write_bytes(b"PK\x05\x06 no model")
    with started(tmp_path, "--workers", "2") as served:
        code, said = served.end()
    assert code == 1
    assert said.startswith(f"cannot serve {tmp_path}: ")
    assert "Traceback" not in said
    assert is_free(served.port)


def test_a_folder_that_is_no_release_is_told(tmp_path: Path) -> None:
    with started(tmp_path) as served:
        code, said = served.end()
    assert code == 1
    assert said.startswith(f"cannot serve {tmp_path}: FileNotFoundError: ")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("count", ["1", "2"])
def test_a_port_that_is_taken_is_told_at_once(tmp_path: Path, count: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with started(tmp_path, "--workers", count, port=port) as served:
            code, said = served.end()
    assert (code, said) == (1, f"cannot listen on 127.0.0.1:{port}: {os.strerror(98)}\n")

"""Several workers on one port."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import psutil
import pytest

from mlrunner.serving.workers import HANG_SECONDS
from tests.support import serving_release as releases
from tests.support.http_client import Client, wait_until
from tests.support.server_process import EXIT_SECONDS, START_SECONDS, ServerProcess, have_ended, is_free, start_server
from tests.support.serving_release import Saved

pytestmark = pytest.mark.slow


def test_a_dead_worker_is_restarted_and_sigterm_ends_all(saved: Saved) -> None:
    rows = releases.make_rows(3)
    with start_server(saved.release.folder, "--workers", "2", "--instance", "t") as served:
        wait_until(served.is_ready, START_SECONDS)
        first = wait_until(lambda: workers if len(workers := served.workers()) == 2 else None)
        killed = min(first, key=lambda worker: worker.pid)
        killed.kill()
        second = wait_until(lambda: now if len(now := served.workers()) == 2 and killed not in now else None)
        assert len(first & second) == 1  # the other worker keeps running
        for _ in range(20):
            with Client(served.port) as client:  # a new connection may reach the other worker
                assert client.predict(rows) == pytest.approx(saved.predict(rows), rel=1e-9)
        with Client(served.port) as idle:
            assert idle.get("/version").json["instance"] == "t"
            start = time.monotonic()
            served.process.send_signal(signal.SIGTERM)  # while a connection is open
            code, errors = served.wait()
            assert time.monotonic() - start < EXIT_SECONDS
        assert (code, errors) == (0, "")
        assert have_ended(first | second)
        assert is_free(served.port)


def wait_for_workers(served: ServerProcess) -> set[psutil.Process]:
    """Wait until each of two workers answers alone."""
    wait_until(served.is_ready, START_SECONDS)
    workers: set[psutil.Process] = wait_until(lambda: running if len(running := served.workers()) == 2 else None)
    for worker in workers:
        worker.suspend()
        wait_until(served.is_ready, START_SECONDS)
        worker.resume()
    return workers


def test_workers_exit_when_the_supervisor_is_killed(saved: Saved) -> None:
    with start_server(saved.release.folder, "--workers", "2") as served:
        workers = wait_for_workers(served)
        served.process.kill()
        wait_until(lambda: have_ended(workers), EXIT_SECONDS)
        wait_until(lambda: is_free(served.port), EXIT_SECONDS)


def test_workers_exit_when_the_supervisor_is_killed_at_start(saved: Saved) -> None:
    with start_server(saved.release.folder, "--workers", "2") as served:
        workers = wait_until(served.workers, START_SECONDS)
        served.process.kill()  # before the worker has read its parent ID
        wait_until(lambda: have_ended(workers), EXIT_SECONDS)


def test_workers_kill_a_supervisor_that_is_stopped_and_exit(saved: Saved) -> None:
    with start_server(saved.release.folder, "--workers", "2") as served:
        workers = wait_for_workers(served)
        served.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: have_ended(workers), HANG_SECONDS + EXIT_SECONDS)
        wait_until(lambda: is_free(served.port), EXIT_SECONDS)
        code, errors = served.wait()
    assert code == -signal.SIGKILL
    assert f"supervisor {served.process.pid} hangs and is killed" in errors


def test_a_damaged_model_ends_all_workers(saved: Saved, tmp_path: Path) -> None:
    release = json.loads((saved.release.folder / "release.json").read_text())
    (tmp_path / "release.json").write_text(json.dumps(release))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / release["saved"]["file"]).write_bytes(b"PK\x05\x06 no model")
    with start_server(tmp_path, "--workers", "2") as served:
        code, errors = served.wait()
    assert code == 1
    assert errors.startswith(f"cannot serve {tmp_path}: ")
    assert "Traceback" not in errors
    assert is_free(served.port)

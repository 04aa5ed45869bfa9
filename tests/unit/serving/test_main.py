"""`python -m mlrunner.serving` with one process."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.support import serving_release as releases
from tests.support.http_client import Client, wait_until
from tests.support.server_process import EXIT_SECONDS, START_SECONDS, have_ended, start_server
from tests.support.serving_release import Saved

pytestmark = pytest.mark.slow


def test_a_single_process_answers_a_large_request_and_exits_on_sigint(saved: Saved) -> None:
    rows = releases.make_rows(3)
    with start_server(saved.release.folder) as served:
        wait_until(served.is_ready, START_SECONDS)
        children = served.workers()
        assert len(children) == 1  # the template of the processes of large requests
        body = gzip.compress(json.dumps({"dataframe_records": rows}).encode())
        with Client(served.port) as idle:
            answer = idle.send("POST", "/invocations", body, Content_Encoding="gzip")
            assert answer.json == {"predictions": pytest.approx(saved.predict(rows), rel=1e-9)}
            assert idle.read_metrics()["mlrunner_rows_total"] == 3
            start = time.monotonic()
            served.process.send_signal(signal.SIGINT)
            assert served.wait() == (0, "")
            assert time.monotonic() - start < EXIT_SECONDS
        assert have_ended(children)


def test_a_folder_without_a_release_is_an_error(tmp_path: Path) -> None:
    with start_server(tmp_path) as served:
        code, errors = served.wait()
    assert code == 1
    assert errors.startswith(f"cannot serve {tmp_path}: FileNotFoundError: ")
    assert len(errors.splitlines()) == 1


@pytest.mark.parametrize("count", ["1", "2"])
def test_an_occupied_port_is_an_error(tmp_path: Path, count: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with start_server(tmp_path, "--workers", count, port=port) as served:
            code, errors = served.wait()
    assert (code, errors) == (1, f"cannot listen on 127.0.0.1:{port}: {os.strerror(98)}\n")

"""Streamlit in a child process."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from mlrunner.cli.playground import launch
from mlrunner.core import loopback
from mlrunner.core.errors import MlrunnerError
from tests.support.front_door import PROJECT, environment


@contextmanager
def start_verb(home: Path, *arguments: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """Start the verb, and kill it at the end."""
    command = [sys.executable, "-m", "mlrunner", "playground", *arguments]
    variables = environment(home, PYTHONPATH=str(PROJECT), **more)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=variables, cwd=home) as verb:
        try:
            yield verb
        finally:
            verb.kill()


def test_streamlit_knows_the_settings() -> None:
    from streamlit import config

    assert set(launch.SETTINGS) <= set(config._config_options_template)


@pytest.mark.slow
def test_a_page_that_cannot_start_is_one_sentence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(launch.SETTINGS, "server.headless", "perhaps")
    with pytest.raises(MlrunnerError, match=r"^Streamlit does not run: .*perhaps.*\.$") as caught:
        launch.run(home / ".mlrunner" / "deployments" / "houses", loopback.free_port(), print)
    assert caught.value.exit_code == 2


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_stays_after_a_signal(home: Path, number: signal.Signals) -> None:
    with start_verb(home, "--no-browser") as verb:
        assert verb.stdout is not None
        line = verb.stdout.readline()
        url = next(word for word in line.split() if "://" in word)
        children = psutil.Process(verb.pid).children(recursive=True)
        with urllib.request.urlopen(url, timeout=10) as answer:
            assert answer.status == 200
        assert list_addresses(children) == {"127.0.0.1"}
        verb.send_signal(number)
        assert verb.wait(20) == (0 if number != signal.SIGKILL else -signal.SIGKILL)
        assert verb.stdout.read() == ""
    assert line == f"houses is at {url} (Ctrl-C ends the page, not the service)\n"
    assert children
    assert not psutil.wait_procs(children, timeout=10)[1]


@pytest.mark.slow
def test_the_browser_is_opened_once_the_page_answers(home: Path, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\necho $1 > {tmp_path}/opened\n")
    browser.chmod(0o755)
    port = loopback.free_port()
    with start_verb(home, "houses", "--port", str(port), BROWSER=str(browser)) as verb:
        assert verb.stdout is not None
        verb.stdout.readline()
        until = time.monotonic() + 10
        while not (tmp_path / "opened").exists() and time.monotonic() < until:
            time.sleep(0.05)
        verb.send_signal(signal.SIGINT)
        assert verb.wait(20) == 0
    assert (tmp_path / "opened").read_text() == f"http://127.0.0.1:{port}\n"


def list_addresses(processes: list[psutil.Process]) -> set[str]:
    """Return the addresses on which processes listen."""
    connections = [connection for process in processes for connection in process.net_connections("inet")]
    return {connection.laddr.ip for connection in connections if connection.status == psutil.CONN_LISTEN}

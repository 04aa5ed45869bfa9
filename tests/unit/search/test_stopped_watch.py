"""A process that stays stopped is found; one that goes on again is not."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from mlrunner.core.process_control import is_stopped
from mlrunner.search.stopped_watch import StoppedWatch


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as started:
        yield started
        started.kill()


def send(process: subprocess.Popen[bytes], number: int) -> None:
    process.send_signal(number)
    deadline = time.monotonic() + 60
    while is_stopped(process.pid) is not (number == signal.SIGSTOP) and time.monotonic() < deadline:
        time.sleep(0.01)


def test_a_process_that_is_found_stopped_too_often_in_a_row_hangs(process: subprocess.Popen[bytes]) -> None:
    watch = StoppedWatch(patience=2, interval=0)
    for number in (signal.SIGSTOP, signal.SIGCONT, signal.SIGSTOP):
        send(process, number)
        assert watch.find_hung([process.pid]) == []
    assert watch.find_hung([process.pid]) == []
    assert watch.find_hung([process.pid]) == [process.pid]
    assert watch.find_hung([]) == []


def test_a_look_waits_for_its_turn(process: subprocess.Popen[bytes]) -> None:
    send(process, signal.SIGSTOP)
    watch = StoppedWatch(patience=0, interval=60)
    assert watch.find_hung([process.pid]) == [process.pid]
    assert watch.find_hung([process.pid]) == []

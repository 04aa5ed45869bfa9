"""Processes are found by their command or start time, and ended with their descendants."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from uuid import uuid4

import psutil
import pytest

from mlrunner.core import process_control

PARENT = """
import signal, subprocess, sys
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
# The child says that it is ready: Popen returns before the system shows the child's command line.
program = "import time; print('ready', flush=True); time.sleep(60)"
subprocess.Popen([sys.executable, "-c", program, *sys.argv[1:]]).wait()
"""
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def mark() -> str:
    return uuid4().hex


@pytest.fixture
def start(mark: str) -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def run(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", PARENT, mark, *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process

    yield run
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its child holds the pipe as well
        process.communicate()


def test_a_process_is_known_by_its_command_and_start_time(start: Start, mark: str) -> None:
    process = start()
    born = process_control.start_time(process.pid)
    assert process_control.is_running(process.pid, mark)
    assert not process_control.is_running(process.pid, "another command")
    assert process_control.is_same_process(process.pid, born)
    assert not process_control.is_same_process(process.pid, born - 5)
    assert process_control.is_same_process(os.getpid(), process_control.start_time())


def test_a_zombie_has_ended(start: Start, mark: str) -> None:
    process = start()
    os.killpg(process.pid, 9)
    leader = psutil.Process(process.pid)
    while leader.status() != psutil.STATUS_ZOMBIE:
        pass
    assert process_control.has_ended(leader)
    assert not process_control.is_running(process.pid, mark)
    assert not process_control.is_same_process(process.pid, leader.create_time())


def test_a_thread_of_the_kernel_is_none_of_ours() -> None:
    threads = [process.pid for process in psutil.process_iter(["ppid"]) if process.info["ppid"] == 2]
    if not threads:
        pytest.skip("a container does not see the kernel's threads")
    assert not process_control.is_running(threads[0], "")


def test_a_number_that_no_process_has_does_not_run() -> None:
    assert not process_control.is_running(-1, "")
    assert not process_control.is_same_process(2**22 + 1, 0.0)
    process_control.terminate(2**22 + 1, "")


@pytest.mark.parametrize("arguments", [[], ["stubborn"]])
def test_a_process_ends_with_its_children(start: Start, mark: str, arguments: list[str]) -> None:
    process = start(*arguments)
    assert len(process_control.find_processes(mark)) == 2
    process_control.terminate(process.pid, "another command")
    assert process.poll() is None
    process_control.terminate(process.pid, mark, grace=0.5)
    assert process_control.find_processes(mark) == []


def test_all_processes_with_a_mark_end(start: Start, mark: str) -> None:
    start(), start()
    process_control.terminate_all(mark, grace=0.1)
    assert process_control.find_processes(mark) == []


def test_a_process_group_ends(start: Start, mark: str) -> None:
    process = start("stubborn")
    children = psutil.Process(process.pid).children()
    process_control.terminate_group(process, grace=0.1)
    process.wait(10)
    assert not psutil.wait_procs(children, timeout=10)[1]
    assert process_control.find_processes(mark) == []
    process_control.terminate_group(process, grace=0.1)  # it is not there any more

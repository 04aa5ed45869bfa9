"""Find processes by their command or start time, and end them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress

import psutil

GRACE = 10.0  # seconds between SIGTERM and SIGKILL
POLL = 0.02  # seconds


def is_running(pid: int, mark: str) -> bool:
    """Check whether a process runs.

    Args:
        pid: Process ID, which the system uses again after the process has ended.
        mark: Text that the command line contains; a process that has just been forked has a program and no command
            line yet, a thread of the kernel has neither.
    """
    try:
        process = psutil.Process(pid)
        command = process.cmdline()
        is_ours = mark in _join(command) if command else bool(process.exe())
        return is_ours and not has_ended(process)
    except (psutil.Error, ValueError):
        return False


def has_ended(process: psutil.Process) -> bool:
    """Check whether a process has ended; a zombie has."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def start_time(pid: int | None = None) -> float:
    """Return when a process started, in seconds since the epoch; None for this process."""
    return float(psutil.Process(pid).create_time())


def is_same_process(pid: int, started: float) -> bool:
    """Check whether the process `pid` runs and is the one that started at `started` (seconds since the epoch)."""
    try:
        process = psutil.Process(pid)
        return not has_ended(process) and abs(process.create_time() - started) < 1
    except psutil.Error:
        return False


def is_stopped(pid: int) -> bool:
    """Check whether a process was stopped by a signal, and waits for SIGCONT."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False


def find_processes(mark: str) -> list[int]:
    """Return the IDs of the processes whose command line, with a space after each word, contains `mark`."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if mark in _join(process.info["cmdline"] or []) and not has_ended(process)
    ]


def _join(command: list[str]) -> str:
    return "".join(f"{word} " for word in command)


def terminate(pid: int, mark: str, grace: float = GRACE) -> None:
    """End a process and its descendants: by SIGTERM, and by SIGKILL after `grace` seconds.

    Args:
        pid: Process ID.
        mark: Text that its command line contains; another process is left alone.
        grace: Seconds between the signals.
    """
    if not is_running(pid, mark):
        return
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        process.terminate()
    except psutil.NoSuchProcess:
        return
    if not _wait_for(family, grace):
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        _wait_for(family, GRACE)


def terminate_all(mark: str, grace: float = GRACE) -> None:
    """End the processes whose command line contains `mark`, each as `terminate` does; try for `GRACE` seconds."""
    deadline = time.monotonic() + GRACE
    while (pids := find_processes(mark)) and time.monotonic() < deadline:
        for pid in pids:
            terminate(pid, mark, grace)


def terminate_group(leader: subprocess.Popen[bytes], grace: float) -> None:
    """End the process group of a child that leads one: by SIGTERM, and by SIGKILL after `grace` seconds."""
    with suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.killpg(leader.pid, signal.SIGTERM)
        leader.wait(grace)
    with suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGKILL)


def _wait_for(processes: list[psutil.Process], seconds: float) -> bool:
    """Wait up to `seconds`; return whether all processes have ended."""
    deadline = time.monotonic() + seconds
    while not all(map(has_ended, processes)):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL)
    return True

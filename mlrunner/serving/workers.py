"""Several server processes on one socket: a supervisor that restarts them, and that they exit with."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from threading import Thread
from types import FrameType

POLL_INTERVAL = 0.2  # seconds
CANNOT_SERVE = 1  # exit code of a worker that would fail again


def run_workers(count: int, listening: socket.socket) -> int:
    """Keep a fixed number of workers running until SIGTERM or SIGINT.

    Args:
        count: Number of workers.
        listening: Socket that they share.

    Returns:
        0 after a signal, 1 when a worker cannot serve.
    """
    signals: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        signals.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    workers = [_start_worker(listening) for _ in range(count)]
    while not signals and CANNOT_SERVE not in (codes := [worker.poll() for worker in workers]):
        pairs = zip(workers, codes, strict=True)
        workers = [worker if code is None else _start_worker(listening) for worker, code in pairs]
        time.sleep(POLL_INTERVAL)
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.wait()
    return 0 if signals else CANNOT_SERVE


def _start_worker(listening: socket.socket) -> subprocess.Popen[bytes]:
    descriptor = listening.fileno()
    options = ("--fd", str(descriptor), "--master", str(os.getpid()))
    command = [sys.executable, "-m", "mlrunner.serving", *sys.argv[1:], *options]
    return subprocess.Popen(command, pass_fds=[descriptor])


def exit_with_supervisor(pid: int | None = None) -> None:
    """Exit this worker when the supervisor ends.

    Args:
        pid: Process ID of the supervisor; None for the current parent, which is wrong if the supervisor has ended
            before this call.
    """
    Thread(target=_watch, args=(pid or os.getppid(),), daemon=True).start()


def _watch(pid: int) -> None:
    while os.getppid() == pid:
        time.sleep(POLL_INTERVAL)
    os._exit(1)

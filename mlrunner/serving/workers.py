"""Several server processes on one socket: a master that starts them anew when they die, and that they die with."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from threading import Thread
from types import FrameType

LOOK = 0.2  # seconds between two looks at the workers
UNABLE = 1  # exit code of a worker that cannot serve, and would not the next time either


def run_workers(count: int, listening: socket.socket) -> int:
    """Keep so many workers running until SIGTERM.

    Returns:
        0 when it was asked to stop, 1 when a worker cannot serve.
    """
    stopping: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        stopping.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    workers = [_start(listening) for _ in range(count)]
    while not stopping and UNABLE not in (codes := [worker.poll() for worker in workers]):
        pairs = zip(workers, codes, strict=True)
        workers = [worker if code is None else _start(listening) for worker, code in pairs]
        time.sleep(LOOK)
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.wait()
    return 0 if stopping else UNABLE


def _start(listening: socket.socket) -> subprocess.Popen[bytes]:
    number = listening.fileno()
    ours = ("--fd", str(number), "--master", str(os.getpid()))
    command = [sys.executable, "-m", "mlrunner.serving", *sys.argv[1:], *ours]
    return subprocess.Popen(command, pass_fds=[number])


def end_with_parent(parent: int | None = None) -> None:
    """End this worker when its master has gone, whatever it is doing.

    Args:
        parent: Its number, without which a master that has gone before this call is not missed.
    """
    Thread(target=_watch, args=(parent or os.getppid(),), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK)
    os._exit(1)

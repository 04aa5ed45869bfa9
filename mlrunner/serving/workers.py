"""Server processes on one socket: a supervisor that replaces those that end or hang.

They exit with the supervisor, and kill it when it hangs: its parent (the gateway, the container engine) then notices
that the server has ended.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from types import FrameType

from mlrunner.serving import heartbeat

POLL_INTERVAL = 0.2  # seconds
CANNOT_SERVE = 1  # exit code of a worker that would fail again
HANG_SECONDS = 12.0  # without a heartbeat, after the first one
GRACE = 8.0  # seconds between SIGTERM and SIGKILL at the end


class Worker:
    """A worker process, its heartbeats and those that it receives.

    Args:
        module: Module to run with the arguments of this process.
        listening: Socket to serve on.
    """

    def __init__(self, module: str, listening: socket.socket) -> None:
        (pipe, end), (master_pipe, self._master_end) = os.pipe(), os.pipe()
        os.set_blocking(self._master_end, False)
        self.beat()  # first: a supervisor that is stopped from now on is noticed
        self._pulse, descriptor = heartbeat.Pulse(pipe), listening.fileno()
        options = ("--fd", str(descriptor), "--master", str(os.getpid()), "--heartbeat", str(end))
        command = [sys.executable, "-m", module, *sys.argv[1:], *options, "--master-heartbeat", str(master_pipe)]
        self.process = subprocess.Popen(command, pass_fds=[descriptor, end, master_pipe])
        os.close(end)
        os.close(master_pipe)

    def beat(self) -> None:
        """Send the heartbeat of the supervisor."""
        heartbeat.beat(self._master_end)

    def has_ended(self, hang_seconds: float) -> bool:
        """Check whether the process has ended; kill one that hangs."""
        if self._pulse.update() > hang_seconds:
            print(f"worker {self.process.pid} hangs and is replaced", file=sys.stderr, flush=True)
            self.process.kill()
            self.process.wait()
        return self.process.poll() is not None

    @property
    def cannot_serve(self) -> bool:
        """Whether it has ended before it served, as the next one would."""
        return self.process.returncode == CANNOT_SERVE and not self._pulse.has_begun

    def close(self, grace: float = 0.0) -> None:
        """Wait for the process, kill it after `grace` seconds, and close its pipe."""
        try:
            self.process.wait(grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._pulse.close()
        os.close(self._master_end)


def run_workers(
    count: int, listening: socket.socket, module: str = "mlrunner.serving", hang_seconds: float = HANG_SECONDS
) -> int:
    """Keep a fixed number of workers running until SIGTERM or SIGINT.

    Args:
        count: Number of workers.
        listening: Socket that they share.
        module: Module that they run.
        hang_seconds: Seconds without a heartbeat after which a worker is replaced.

    Returns:
        0 after a signal, 1 when a worker cannot serve.
    """
    signals: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        signals.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    workers = [Worker(module, listening) for _ in range(count)]
    while not signals and not any(worker.cannot_serve for worker in workers):
        for place, worker in enumerate(workers):
            worker.beat()
            if worker.has_ended(hang_seconds) and not worker.cannot_serve:
                worker.close()
                workers[place] = Worker(module, listening)
        time.sleep(POLL_INTERVAL)
    for worker in workers:
        worker.process.terminate()
    listening.close()
    deadline = time.monotonic() + GRACE
    for worker in workers:
        worker.close(max(0.0, deadline - time.monotonic()))
    return 0 if signals else CANNOT_SERVE


def watch_supervisor(pid: int, pipe: int, on_end: Callable[[], object], hang_seconds: float = HANG_SECONDS) -> None:
    """Call a function in a thread when the supervisor has ended; kill one that hangs.

    Args:
        pid: Process ID of the supervisor.
        pipe: Descriptor to read its heartbeats from.
        on_end: Function to call.
        hang_seconds: Seconds without a heartbeat after which the supervisor is killed.
    """
    os.set_inheritable(pipe, False)
    Thread(target=_watch, args=(pid, heartbeat.Pulse(pipe), on_end, hang_seconds), daemon=True).start()


def exit_with_supervisor(pid: int, pipe: int) -> None:
    """Exit this worker when the supervisor has ended; see `watch_supervisor`."""
    watch_supervisor(pid, pipe, lambda: os._exit(1))


def _watch(pid: int, pulse: heartbeat.Pulse, on_end: Callable[[], object], hang_seconds: float) -> None:
    while os.getppid() == pid:
        if pulse.update() > hang_seconds:
            print(f"supervisor {pid} hangs and is killed", file=sys.stderr, flush=True)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            break  # also where the kernel protects it, as the first process of a container
        time.sleep(POLL_INTERVAL)
    on_end()

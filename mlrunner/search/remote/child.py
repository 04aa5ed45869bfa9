"""One warm process that runs trials for a worker of a cluster, and is replaced when it dies.

The worker itself fits nothing, so that it stays in touch with its scheduler whatever a trial does, and can say how a
trial has ended its process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe
from threading import Lock, Thread, Timer

from mlrunner.core import environment
from mlrunner.search.executor import Step
from mlrunner.search.trial import TrialResult, TrialTask
from mlrunner.search.worker_exit import count_oom_kills, judge_exit

POLL_SECONDS = 0.2
IDLE_SECONDS = 120.0  # after which a process without a trial ends, since the cluster is not ours alone
START = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from mlrunner.search.remote.child import main; main()"
Report = Callable[[Step], bool]  # returns True when the trial is to be pruned


class Stopped(Exception):
    """Raised in a worker when the driver does not want the trial any more."""


class TrialChild:
    """A process that runs trials one after the other.

    Args:
        threads: Number of threads of the numerical libraries.
        path: Folders to import from before those of this process.
    """

    def __init__(self, threads: int, path: tuple[str, ...] = ()) -> None:
        self._pipe, theirs = Pipe()
        words = [json.dumps([*path, *sys.path]), str(theirs.fileno()), str(threads)]
        with environment.temporary_variables(OMP_WAIT_POLICY="passive"):
            self._process = subprocess.Popen(
                [sys.executable, "-c", START, *words],
                stdin=subprocess.PIPE,  # its end tells the child that this process is gone
                pass_fds=[theirs.fileno()],
            )
        theirs.close()

    def run(self, task: TrialTask, report: Report, is_stopped: Callable[[], bool]) -> TrialResult:
        """Run a trial.

        Args:
            task: Trial to run.
            report: Function of an intermediate value.
            is_stopped: Function that says whether the trial is not wanted any more.

        Raises:
            Stopped: When it is not; the process has ended then.
        """
        before = count_oom_kills() or 0
        try:
            self._pipe.send(task)
            while True:
                if is_stopped():
                    raise Stopped
                if self._pipe.poll(POLL_SECONDS):
                    event = self._pipe.recv()
                    if isinstance(event, TrialResult):
                        return event
                    self._pipe.send(report(event))
        except (EOFError, OSError):
            self._close()
            return judge_exit(task.number, self._process.returncode, (count_oom_kills() or 0) - before)
        except Stopped:
            self.kill()
            raise

    @property
    def is_alive(self) -> bool:
        """Whether the process can take a trial."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End the process."""
        self._process.kill()
        self._close()

    def _close(self) -> None:
        self._process.wait()
        self._pipe.close()
        if self._process.stdin is not None:
            self._process.stdin.close()


class ChildCache:
    """Keeps idle processes for the next trial, for a while.

    Args:
        seconds: Seconds after which an idle process ends.
    """

    def __init__(self, seconds: float = IDLE_SECONDS) -> None:
        self._seconds, self._lock = seconds, Lock()
        self._idle: list[tuple[tuple[int, tuple[str, ...]], TrialChild, Timer]] = []

    def take(self, threads: int, path: tuple[str, ...]) -> TrialChild:
        """Return an idle process with these settings, or a new one."""
        with self._lock:
            for entry in list(self._idle):
                key, child, timer = entry
                if key == (threads, path):
                    self._idle.remove(entry)
                    timer.cancel()
                    if child.is_alive:
                        return child
        return TrialChild(threads, path)

    def keep(self, threads: int, path: tuple[str, ...], child: TrialChild) -> None:
        """Keep a process that has returned a result."""
        if not child.is_alive:
            return
        timer = Timer(self._seconds, self._end, [child])
        timer.daemon = True
        with self._lock:
            self._idle.append(((threads, path), child, timer))
        timer.start()

    def _end(self, child: TrialChild) -> None:
        with self._lock:
            is_idle = any(each is child for _, each, _ in self._idle)
            self._idle = [entry for entry in self._idle if entry[1] is not child]
        if is_idle:
            child.kill()


def main() -> None:
    """Run trials until the pipe closes; the arguments are the path, the number of the pipe, and the threads."""
    from mlrunner.search.worker_process import run_worker

    Thread(target=_exit_with_worker, daemon=True).start()
    run_worker(Connection(int(sys.argv[2])), int(sys.argv[3]))


def _exit_with_worker() -> None:
    sys.stdin.read()
    os._exit(1)

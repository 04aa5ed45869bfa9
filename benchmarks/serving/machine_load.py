"""Processor use of the machine and of single processes, and waiting for an idle machine."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress

import psutil

IDLE_CORES = 0.25  # maximum use by other processes when a measurement starts
INTERVAL = 0.5  # seconds


def wait_until_idle(timeout: float) -> float:
    """Wait until other processes are idle; the load average would include the last measurement.

    Args:
        timeout: Maximum seconds to wait.

    Returns:
        Cores in use at the end.
    """
    until = time.monotonic() + timeout
    while True:
        start, before = time.monotonic(), total_seconds()
        time.sleep(INTERVAL)
        cores = (total_seconds() - before) / (time.monotonic() - start)
        if cores <= IDLE_CORES or time.monotonic() > until:
            return cores


def total_seconds() -> float:
    """Return the processor seconds of all processes since boot."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def process_seconds(pids: Iterable[int]) -> float:
    """Return the processor seconds of processes and their children."""
    total = 0.0
    for pid in pids:
        with suppress(psutil.Error):
            parent = psutil.Process(pid)
            for process in (parent, *parent.children(recursive=True)):
                with suppress(psutil.Error):
                    times = process.cpu_times()
                    total += times.user + times.system
    return total

"""How quiet the machine is: whose the processor time was, and waiting until others let go of it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress

import psutil

QUIET = 0.25  # cores that others may use when a cell begins
LOOK = 0.5  # seconds


def wait(patience: float) -> float:
    """Wait for a quiet moment, while nothing of ours works; the load average would count our own last cell too.

    Args:
        patience: Seconds to wait at most.

    Returns:
        Cores that were busy all the same.
    """
    until = time.monotonic() + patience
    while True:
        began, before = time.monotonic(), busy()
        time.sleep(LOOK)
        cores = (busy() - before) / (time.monotonic() - began)
        if cores <= QUIET or time.monotonic() > until:
            return cores


def busy() -> float:
    """Tell the processor seconds of everybody so far."""
    told = psutil.cpu_times()
    return float(sum(told) - told.idle - getattr(told, "iowait", 0.0) - getattr(told, "guest", 0.0))


def used(pids: Iterable[int]) -> float:
    """Tell the processor seconds of some processes and their children so far."""
    total = 0.0
    for pid in pids:
        with suppress(psutil.Error):
            found = psutil.Process(pid)
            for process in (found, *found.children(recursive=True)):
                with suppress(psutil.Error):
                    told = process.cpu_times()
                    total += told.user + told.system
    return total

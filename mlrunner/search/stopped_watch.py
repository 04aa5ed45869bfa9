"""Notice processes that stay stopped (SIGSTOP): their trials would never end."""

from __future__ import annotations

import time
from collections.abc import Iterable

from mlrunner.core.process_control import is_stopped


class StoppedWatch:
    """Counts how often in a row a process was found stopped, which does not count a pause of this process too.

    Args:
        patience: Number of times after which a process counts as hung.
        interval: Seconds between two looks.
    """

    def __init__(self, patience: int = 30, interval: float = 1.0) -> None:
        self._patience, self._interval, self._next = patience, interval, 0.0
        self._counts: dict[int, int] = {}

    def find_hung(self, pids: Iterable[int]) -> list[int]:
        """Return the processes that hang; none before the next look is due."""
        now = time.monotonic()
        if now < self._next:
            return []
        self._next = now + self._interval
        self._counts = {pid: self._counts.get(pid, 0) + 1 for pid in pids if is_stopped(pid)}
        return [pid for pid, count in self._counts.items() if count > self._patience]

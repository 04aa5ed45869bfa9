"""Ctrl-C during a search: the first one lets the running trials finish, the second one stops them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mlrunner.core.interruption import interrupt


class Interrupts:
    """Counts the interrupts of a search.

    Args:
        notify: Function called with the new count.
    """

    def __init__(self, notify: Callable[[int], None]) -> None:
        self.count = 0
        self._notify = notify

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Count the interrupts within a block.

        Raises:
            KeyboardInterrupt: At the second one.
        """

        def handle(number: int, frame: object) -> None:
            del frame
            self.count += 1
            self._notify(self.count)
            if self.count > 1:
                interrupt(number, None)

        before = signal.signal(signal.SIGINT, handle)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

"""The log of a server: one message of a kind a minute, and no more than a few megabytes."""

from __future__ import annotations

import logging
import os
import stat
import time

MAX_BYTES = 10_000_000
QUIET_SECONDS = 60.0


class RateLimit(logging.Filter):
    """Pass one record a minute of each place in the code, so that the log does not grow by a line a request."""

    def __init__(self, seconds: float = QUIET_SECONDS) -> None:
        super().__init__()
        self._seconds, self._next = seconds, dict[tuple[str, int], float]()

    def filter(self, record: logging.LogRecord) -> bool:
        """See `logging.Filter.filter`."""
        place, now = (record.pathname, record.lineno), time.monotonic()
        if now < self._next.get(place, now):
            return False
        self._next[place] = now + self._seconds
        return True


class CappedHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Write to standard error; where that is a file, empty it before it exceeds `MAX_BYTES`."""

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler.emit`."""
        status = os.fstat(self.stream.fileno())
        if stat.S_ISREG(status.st_mode) and status.st_size > MAX_BYTES:
            os.ftruncate(self.stream.fileno(), 0)  # the file is open for appending
        super().emit(record)


def configure_log() -> None:
    """Log warnings and errors of every library to standard error, within limits."""
    handler = CappedHandler()
    handler.addFilter(RateLimit())
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s", handlers=[handler])
    logging.captureWarnings(capture=True)

"""Let an experiment go on when nobody reads what it prints any more (`mlrunner … | head`)."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO


class Patient:
    """A stream that goes silent, instead of raising, once its reader has gone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or drop what nobody reads."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._silence()
            return len(text)

    def flush(self) -> None:
        """Flush, or drop what nobody reads."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._silence()

    def _silence(self) -> None:
        """Point the descriptor at nothing, for the interpreter flushes it once more on its way out."""
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, self._stream.fileno())
        os.close(nothing)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def be_patient() -> None:
    """Make the process's own output such a stream."""
    if sys.stdout is not None and not isinstance(sys.stdout, Patient):  # None: it is closed
        sys.stdout = Patient(sys.stdout)

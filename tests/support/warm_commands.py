"""Commands that run in forks of the product's own warm process."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

Start = Callable[..., "subprocess.Popen[str]"]


def count_commands(start: Start) -> int:
    """Return how many commands the warm process has run."""
    out, _ = start("warm", "status").communicate(timeout=60)
    return int(out.rpartition(": ")[2].strip(" .\n"))

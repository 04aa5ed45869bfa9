"""Run a command until whoever started this has gone, however it went: then end the command and all that it started.

`python guard.py COMMAND…`, as the leader of a process group of its own; the starter holds the other end of its stdin.
Only the standard library is imported.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

GRACE = 4.0  # seconds between asking and ending
LAST = 0.3  # seconds for what the command leaves behind


def main(command: list[str]) -> int:
    """Run the command."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # the group is told; we see it through. A child does not inherit this
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_when_left, args=(child,), daemon=True).start()
    code = child.wait()
    os.killpg(0, signal.SIGTERM)
    time.sleep(LAST)
    os.killpg(0, signal.SIGKILL)  # what it left behind, and ourselves
    return code


def _end_when_left(child: subprocess.Popen[bytes]) -> None:
    """Wait for the pipe to close, which it does when the starter ends."""
    while os.read(0, 1024):
        pass
    os.killpg(0, signal.SIGTERM)
    until = time.monotonic() + GRACE
    while child.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    if child.poll() is None:
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Run a console script, such as `mlflow`, in this process, and end with the process that started this one.

`python guard.py NAME` leads a process group of its own; NAME, a script or `MODULE:FUNCTION`, is for `ps` alone. Stdin
is a pipe whose other end the starter holds. Its first line holds the arguments as JSON: every user can read a command
line, and a password in it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from importlib.metadata import EntryPoint, entry_points
from threading import Thread


def main() -> None:
    """Run the script that the arguments name."""
    sys.argv = json.loads(sys.stdin.readline())
    Thread(target=_end_with_starter, daemon=True).start()
    name = sys.argv[0]
    is_function = ":" in name
    script = EntryPoint("", name, "") if is_function else next(iter(entry_points(group="console_scripts", name=name)))
    sys.exit(script.load()())


def _end_with_starter() -> None:
    while os.read(0, 1024):  # returns nothing once the starter has ended, even by SIGKILL
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()

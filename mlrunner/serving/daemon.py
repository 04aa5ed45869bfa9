"""`python -m mlrunner.serving.daemon PIDFILE LOGFILE COMMAND…`: start a command that outlives whoever started it.

The starter ends at once, so the command belongs to the system, which also takes note of its end.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Start the command in a session of its own, and write its process number."""
    pid_file, log_file, *command = sys.argv[1:]
    with Path(log_file).open("ab") as log:
        started = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    Path(pid_file).write_text(str(started.pid))
    started.returncode = 0  # or the interpreter would warn, on its way out, of a process that goes on
    return 0


if __name__ == "__main__":
    sys.exit(main())

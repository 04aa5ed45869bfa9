"""`python -m mlrunner.serving.daemon PIDFILE LOGFILE COMMAND…`: start a command that outlives the calling process.

This process exits at once, so the command becomes a child of init, which also reaps it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mlrunner.core.exit_signals import exit_on_signals


def main() -> int:
    """Start the command in a session of its own, and write its process ID."""
    exit_on_signals()
    pid_file, log_file, *command = sys.argv[1:]
    with Path(log_file).open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    Path(pid_file).write_text(str(process.pid))
    process.returncode = 0  # prevents the ResourceWarning about a running process at exit
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Run a sweep in a child process, which starts its own workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from subprocess import PIPE

from mlrunner.core import environment
from mlrunner.core.project import CODE


def run_multirun(overrides: list[str]) -> tuple[str, str]:
    """Run a sweep in a child process, and return its stdout and stderr.

    Args:
        overrides: Overrides as they are typed after `mlrunner --multirun`.
    """
    command = [sys.executable, "-m", "mlrunner", "--multirun", *overrides, "output=json"]
    # The child imports what this process can import; our code comes first, since loaded models add copies of it.
    path = os.pathsep.join([str(CODE), *filter(None, sys.path)])
    env = environment.child_environment(PYTHONPATH=path, HYDRA_FULL_ERROR="0")  # no tracebacks
    with subprocess.Popen(command, stdout=PIPE, stderr=PIPE, text=True, env=env, start_new_session=True) as child:
        return wait_for_sweep(child)


def wait_for_sweep(child: subprocess.Popen[str]) -> tuple[str, str]:
    """Wait for a sweep, and return its stdout and stderr.

    Args:
        child: Process of the sweep, in a session of its own, which Ctrl-C reaches only through this function.

    Raises:
        KeyboardInterrupt: After the sweep has ended its runs.
    """
    try:
        return child.communicate()
    except KeyboardInterrupt:
        child.send_signal(signal.SIGINT)
        wait_for_sweep(child)
        raise

"""Processes that outlive the command that started them: start, find and end them, and ask who answers on a port."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from mlrunner.core.environment import project, python_path, variables

KEPT = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "SSL_CERT_FILE")
OURS = ("MLRUNNER_HOME", "MLRUNNER_PROJECT", "MLFLOW_", "ZENML_", "AWS_", "AZURE_", "GOOGLE_", "DOCKER_", "OMP_")


def environment() -> dict[str, str]:
    """Return the environment of a daemon: the variables that locate programs and stores, without those of this run."""
    inherited = {name: text for name, text in variables().items() if name in KEPT or name.startswith(OURS)}
    bin_folder = str(Path(sys.executable).parent)  # needed when the virtual environment is not activated
    path = dict.fromkeys([bin_folder, *inherited.get("PATH", os.defpath).split(os.pathsep)])
    return {
        **inherited,
        "PYTHONPATH": python_path((), [project(), Path.cwd()]),
        "PATH": os.pathsep.join(path),
        "OMP_WAIT_POLICY": "passive",
    }


def detached(pid_file: Path, log_file: Path, *command: str) -> list[str]:
    """Write the command that starts another one for good."""
    return [sys.executable, "-m", "mlrunner.serving.daemon", str(pid_file), str(log_file), *command]


def start(pid_file: Path, log_file: Path, *command: str) -> int:
    """Start a command for good.

    Returns:
        Its process number.
    """
    subprocess.run(detached(pid_file, log_file, *command), env=environment(), check=True)
    return read_pid(pid_file)


def read_pid(pid_file: Path) -> int:
    """Read the number of a process that was started for good; 0 when none was."""
    return int(pid_file.read_text() or 0) if pid_file.exists() else 0


def tail(file: Path, lines: int = 5) -> str:
    """Read the last lines of a log."""
    if not file.exists():
        return ""
    return "\n".join(file.read_text(errors="replace").splitlines()[-lines:])


def last(log: str) -> str:
    """Take the last line of a log that says anything."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"

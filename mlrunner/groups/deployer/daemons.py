"""Processes that outlive the command that started them: start them, find them and read their logs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from mlrunner.core.environment import project, python_path, variables
from mlrunner.core.project import CODE

KEPT = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "SSL_CERT_FILE")
PLACES = ("MLRUNNER_HOME", "MLRUNNER_PROJECT", "MLRUNNER_RESOURCES")
PREFIXES = (*PLACES, "MLFLOW_", "ZENML_", "AWS_", "AZURE_", "GOOGLE_", "DOCKER_", "OMP_")


def build_environment() -> dict[str, str]:
    """Return the environment of a daemon: the variables that locate programs and stores, without those of this run."""
    inherited = {name: text for name, text in variables().items() if name in KEPT or name.startswith(PREFIXES)}
    bin_folder = str(Path(sys.executable).parent)  # needed when the virtual environment is not activated
    path = dict.fromkeys([bin_folder, *inherited.get("PATH", os.defpath).split(os.pathsep)])
    return {
        **inherited,
        "PYTHONPATH": python_path((), [CODE, project(), Path.cwd()]),
        "PATH": os.pathsep.join(path),
        "OMP_WAIT_POLICY": "passive",
    }


def build_command(pid_file: Path, log_file: Path, *command: str) -> list[str]:
    """Build the command line that starts another command as a daemon.

    Args:
        pid_file: File that receives the process number.
        log_file: File that receives the output.
        *command: Command line of the daemon.
    """
    return [sys.executable, "-m", "mlrunner.serving.daemon", str(pid_file), str(log_file), *command]


def start(pid_file: Path, log_file: Path, *command: str) -> int:
    """Start a command as a daemon.

    Args:
        pid_file: File that receives the process number.
        log_file: File that receives the output.
        *command: Command line of the daemon.

    Returns:
        Process number of the daemon.
    """
    command_line = build_command(pid_file, log_file, *command)
    subprocess.run(command_line, env=build_environment(), check=True, start_new_session=True)  # away from Ctrl-C
    return read_pid(pid_file)


def read_pid(pid_file: Path) -> int:
    """Read the process number of a daemon; 0 when none was started."""
    return int(pid_file.read_text() or 0) if pid_file.exists() else 0


def read_last_lines(file: Path, lines: int = 5) -> str:
    """Read the last lines of a log file; empty when it does not exist."""
    if not file.exists():
        return ""
    return "\n".join(file.read_text(errors="replace").splitlines()[-lines:])


def get_last_line(log: str) -> str:
    """Return the last line of a log that is not blank."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"

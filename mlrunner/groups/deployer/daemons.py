"""Processes that outlive the command that started them: start, find and end them, and ask who answers on a port."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

KEPT = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "SSL_CERT_FILE")
OURS = ("MLRUNNER_HOME", "MLRUNNER_PROJECT", "MLFLOW_", "ZENML_", "AWS_", "AZURE_", "GOOGLE_", "DOCKER_", "OMP_")


def environment() -> dict[str, str]:
    """The environment of a process that stays: what finds programs and stores, and nothing of the present run."""
    found = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith(OURS)}
    path = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    found["PYTHONPATH"] = os.pathsep.join(
        dict.fromkeys(filter(None, [*path, os.environ["MLRUNNER_PROJECT"], str(Path.cwd())]))
    )
    bin_folder = str(Path(sys.executable).parent)  # also where the environment is not activated
    found["PATH"] = os.pathsep.join(dict.fromkeys([bin_folder, *found.get("PATH", os.defpath).split(os.pathsep)]))
    return {**found, "OMP_WAIT_POLICY": "passive"}


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

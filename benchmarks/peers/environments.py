"""Environments of their own for the peers whose packages do not go with ours; made once, below .mlrunner/."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).absolute().parents[2]
COMMON = ["xgboost==3.2.0", "scikit-learn==1.9.1"]  # as in requirements.lock: the same fits for all
PACKAGES = {
    "c": ["hydra-core==1.3.*", "hydra-optuna-sweeper==1.3.0", "optuna==2.10.*", "mlflow==3.17.*", *COMMON],
    "d": ["ray[tune]", "optuna==5.*", *COMMON],
}


def python_of(peer: str) -> Path | str:
    """Find the interpreter of a peer, and create its environment if it does not exist yet.

    Returns:
        The interpreter, or the reason why it cannot be created.
    """
    if peer not in PACKAGES:
        return Path(sys.executable)
    folder = PROJECT / ".mlrunner" / f"peers-{peer}"
    mark, wanted = folder / "packages.txt", "\n".join(PACKAGES[peer])
    python = folder / "bin" / "python"
    if mark.exists() and mark.read_text() == wanted:
        return python
    try:
        make(folder, PACKAGES[peer])
    except (subprocess.CalledProcessError, OSError) as error:
        message = getattr(error, "stderr", "") or str(error)
        return f"its environment could not be made: {message.strip()[-500:]}"
    mark.write_text(wanted)
    return python


def make(folder: Path, packages: list[str]) -> None:
    """Make an environment with uv where there is one, else with pip, and compile it: peers import in their clock.

    Raises:
        CalledProcessError: When a package is not to be had.
    """
    print(f"making {folder}: {' '.join(packages)}", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    run([sys.executable, "-m", "venv", *(["--without-pip"] if uv else []), str(folder)])
    python = str(folder / "bin" / "python")
    if uv:
        run([uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, *packages])
    else:
        run([python, "-m", "pip", "install", "--quiet", *packages])


def run(command: list[str]) -> None:
    """Run a command."""
    subprocess.run(command, check=True, capture_output=True, text=True)

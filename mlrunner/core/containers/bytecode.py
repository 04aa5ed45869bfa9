"""Compile Python files for an image."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mlrunner.core.environment import child_environment


def compile_folder(folder: Path, prefix: str) -> None:
    """Compile the modules of a folder for a faster start; a file that is no valid Python stays as it is.

    Bytecode is reproducible, so that the engine's cache stays valid.

    Args:
        folder: Folder that is copied into the image.
        prefix: Its path in the image.
    """
    how = ["-q", "-j", "0", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", prefix]
    command = [sys.executable, "-P", "-m", "compileall", *how, str(folder)]
    environment = child_environment(PYTHONHASHSEED="0")
    subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, env=environment, check=False)

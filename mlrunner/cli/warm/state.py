"""What a command and the warm process must have in common, and where the process listens."""

from __future__ import annotations

import os
import stat
import sys
import zlib
from pathlib import Path
from typing import Any

from mlrunner.core import environment
from mlrunner.core.project import CODE

WARM_VARIABLE = "MLRUNNER_WARM"  # 1 starts a warm process after a command, 0 uses none
# Variables of shells and terminals that nothing reads while a module is imported.
TERMINAL_VARIABLES = {
    *("_", "COLUMNS", "LINES", "OLDPWD", "PWD", "SHLVL", "GPG_TTY", "SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY"),
    *("STY", "TERM_SESSION_ID", "TMUX_PANE", "WINDOW", "WINDOWID"),
}


def socket_file() -> Path:
    """Return the path of the socket for this interpreter and this code; its folder need not exist."""
    base = environment.variable("XDG_RUNTIME_DIR") or environment.variable("TMPDIR") or "/tmp"
    name = zlib.crc32(f"{sys.executable}|{CODE}".encode())
    return Path(base) / f"mlrunner-{os.getuid()}" / f"{name:08x}.sock"


def is_private(folder: Path) -> bool:
    """Check whether a folder belongs to this user alone, so that what listens in it is this user's too."""
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077


def describe_process() -> dict[str, Any]:
    """Return what decides how modules are imported and what a process may use, as JSON has it."""
    import resource

    names = [name for name in dir(resource) if name.startswith("RLIMIT_")]
    variables = {**environment.DEFAULTS, **environment.variables()}
    affinity = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return {
        "python": [sys.version, list(sys.flags), sys.warnoptions, sorted(sys._xoptions)],
        "rights": [os.getuid(), os.geteuid(), os.getgid(), os.getegid(), sorted(os.getgroups())],
        "limits": {name: list(resource.getrlimit(getattr(resource, name))) for name in names},
        "processor": [os.getpriority(os.PRIO_PROCESS, 0), affinity],
        "variables": {name: text for name, text in variables.items() if not _is_free(name)},
    }


def _is_free(name: str) -> bool:
    """Check whether a variable may differ: nothing reads it while a module is imported, or each command sets it."""
    return name in TERMINAL_VARIABLES or name.startswith(("MLRUNNER_", environment.FULL_ERROR_VARIABLE))


def stamp_code() -> dict[str, tuple[int, int]]:
    """Return time and size of each file that this process has imported, and of the folders that packages are in."""
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    packages = [folder for folder in sys.path if folder.endswith("-packages")]
    return {file: _stamp(Path(file)) for file in {sys.executable, *filter(None, files), *packages}}


def _stamp(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)

"""Keep the temporary files of the tests in memory, where a database commits in a hundredth of the time."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
NEEDED = 4 << 30  # bytes; the whole suite writes less, and a container often has 64 MB


def use_memory() -> None:
    """Let this process and its children write temporary files to memory, unless TMPDIR names another folder."""
    if "TMPDIR" in os.environ or not _is_suitable():
        return
    folder = MEMORY / f"t{os.getuid()}"  # short, as a path of a socket has 107 bytes at most
    folder.mkdir(exist_ok=True)
    folder.chmod(0o711)  # a PostgreSQL server runs as another user
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None  # read anew


def _is_suitable() -> bool:
    """Return whether the memory file system has space, and may hold programs, which some tests write."""
    try:
        facts = os.statvfs(MEMORY)
        available = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return False
    flags = os.ST_NOEXEC | os.ST_RDONLY
    return not facts.f_flag & flags and min(facts.f_bavail * facts.f_frsize, 2 * available) >= NEEDED

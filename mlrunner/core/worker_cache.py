"""Folders for what this machine receives as a worker: tables, and modules of the user."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

UNUSED_SECONDS = 3 * 24 * 3600.0  # longer than a trial, which opens its tables and modules one after the other
ENTRIES = ("tables/*.arrow", "code/*")


def cache_folder(name: str) -> Path:
    """Return a folder for what this machine receives, which no other user may write to."""
    folder = _root() / name
    for level in (folder.parent, folder):  # the warm process listens in the parent, where it is private
        level.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder if _is_own(folder.parent) else Path(tempfile.mkdtemp(prefix="mlrunner-"))


def list_unused() -> list[Path]:
    """List the files and folders that no trial has used for days."""
    root, limit = _root(), time.time() - UNUSED_SECONDS
    if not root.is_dir() or not _is_own(root):
        return []
    return sorted(path for pattern in ENTRIES for path in root.glob(pattern) if _last_use(path) < limit)


def remove_unused() -> None:
    """Remove what no trial has used for days."""
    for path in list_unused():
        remove_entry(path)


def remove_entry(path: Path) -> None:
    """Remove an entry; a process that still reads a table has it open."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)  # another worker may be removing it
    else:
        path.unlink(missing_ok=True)


def mark_used(path: Path) -> None:
    """Mark an entry as used now."""
    with suppress(FileNotFoundError):
        os.utime(path)


def _root() -> Path:
    return Path(tempfile.gettempdir()) / f"mlrunner-{os.getuid()}"


def _is_own(root: Path) -> bool:
    return root.stat().st_uid == os.getuid() and not root.is_symlink()


def _last_use(path: Path) -> float:
    with suppress(FileNotFoundError):
        return path.lstat().st_mtime
    return time.time()

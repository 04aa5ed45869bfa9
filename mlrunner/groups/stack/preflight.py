"""Checks before a store is opened: a moved project, a full disk, a folder as MLflow's store."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

from mlrunner.core import relocation
from mlrunner.core.environment import variable
from mlrunner.core.errors import ConfigError, StoreError
from mlrunner.core.terminal import console
from mlrunner.groups.stack import schema

NEEDED_BYTES = 50 * 2**20  # both empty stores take 3 MB; the rest is room for tables and models


def prepare_folder(home: Path) -> Path:
    """Create `.mlrunner/`, and follow it where it was moved.

    Returns:
        The folder `.mlrunner/`.

    Raises:
        StoreError: When the folder cannot be written, or a newer mlrunner made it.
    """
    folder = home / ".mlrunner"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not relocation.read_mark(home):
            (folder / relocation.MARK).write_text(str(home))
        schema.mark_layout(folder)
    except OSError as error:
        raise StoreError(
            f"Cannot write {folder} ({error.strerror}); set MLRUNNER_HOME to a folder that you may write."
        ) from error
    relocation.follow_move(home)
    return folder


def refuse_full_disk(folder: Path) -> None:
    """Refuse a disk without space for the stores.

    Args:
        folder: Folder of the stores; it need not exist yet.

    Raises:
        StoreError: When less than `NEEDED_BYTES` are free.
    """
    existing = next((path for path in (folder, *folder.parents) if path.exists()), Path("/"))
    free = shutil.disk_usage(existing).free
    if free < NEEDED_BYTES:
        raise StoreError(
            f"No disk space for the stores: {free // 2**20} MB are free at {folder}, "
            f"{NEEDED_BYTES // 2**20} MB are needed; free some, or set MLRUNNER_HOME to a folder on another disk."
        )


def refuse_file_store(uri: str) -> None:
    """Refuse a folder as MLflow's store, which MLflow itself refuses since 3.13.

    Raises:
        ConfigError: When the URI is a folder and MLFLOW_ALLOW_FILE_STORE is not `true`.
    """
    is_folder = uri.startswith("file:") or "://" not in uri
    if is_folder and uri != "databricks" and variable("MLFLOW_ALLOW_FILE_STORE") != "true":
        raise ConfigError(
            f"stack.tracking_uri={uri} is a folder, which MLflow no longer accepts as a store; use "
            "sqlite:////absolute/path/mlflow.db, a server's URL, or set MLFLOW_ALLOW_FILE_STORE=true."
        )


def describe_shared(folder: Path) -> str | None:
    """Return how other users can change the files of a folder; None if they cannot, or it does not exist."""
    try:
        status = folder.lstat()
    except OSError:
        return None
    if stat.S_ISLNK(status.st_mode):
        return f"is a link to {folder.readlink()}"
    if status.st_mode & stat.S_IWOTH:
        return "can be written by every user of this machine"
    return None


def warn_of_shared(folder: Path) -> None:
    """Warn of a folder of stores that others can change: its runs and models may be theirs."""
    if (reason := describe_shared(folder)) is not None:
        text = f"mlrunner: {folder} {reason}, so its runs and models may be another's; see docs/security.md."
        console(stderr=True).print(text, style="yellow", soft_wrap=True, highlight=False, markup=False)

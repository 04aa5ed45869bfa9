"""What is refused before a store is opened: a moved project, a full disk, a folder as MLflow's store."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from mlrunner.core.errors import ConfigError, StoreError

NEEDED_BYTES = 50 * 2**20  # both empty stores take 3 MB; the rest is room for tables and models


def own_folder(home: Path) -> Path:
    """Make `.mlrunner/` and notice when the project folder was moved under it.

    Raises:
        StoreError: When the folder cannot be written, or the stores in it were made at another place:
            MLflow and ZenML both record absolute paths.
    """
    folder = home / ".mlrunner"
    mark = folder / "home"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not mark.exists():
            mark.write_text(str(home))
    except OSError as error:
        raise StoreError(
            f"Cannot write {folder} ({error.strerror}); set MLRUNNER_HOME to a folder that you may write."
        ) from error
    if mark.read_text() not in ("", str(home)):
        raise StoreError(
            f"The stores in {folder} were made at {mark.read_text()} and record that path; move the project back, or "
            f"remove {folder} to begin anew."
        )
    return folder


def refuse_full_disk(folder: Path) -> None:
    """Refuse a disk without room for the stores; the folder need not be there yet.

    Raises:
        StoreError: With what is free and what is needed.
    """
    there = next((one for one in (folder, *folder.parents) if one.exists()), Path("/"))
    free = shutil.disk_usage(there).free
    if free < NEEDED_BYTES:
        raise StoreError(
            f"No disk space for the stores: {free // 2**20} MB are free at {folder}, "
            f"{NEEDED_BYTES // 2**20} MB are needed; free some, or set MLRUNNER_HOME to a folder on another disk."
        )


def refuse_file_store(uri: str) -> None:
    """Refuse the file store, which MLflow itself refuses since 3.13, with the way out.

    Raises:
        ConfigError: When the address is a folder and MLFLOW_ALLOW_FILE_STORE is not set.
    """
    is_folder = uri.startswith("file:") or "://" not in uri
    if is_folder and uri != "databricks" and os.environ.get("MLFLOW_ALLOW_FILE_STORE") != "true":
        raise ConfigError(
            f"stack.tracking_uri={uri} is a folder, which MLflow no longer takes as a store; use "
            "sqlite:////absolute/path/mlflow.db, a server's URL, or set MLFLOW_ALLOW_FILE_STORE=true."
        )

"""Find the files of a run on this machine, and their size."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlparse

from mlrunner.tracking.records import FOLDER_TAG, MODEL_TAG, Record


def used_folders(records: Iterable[Record]) -> set[Path]:
    """List the folders of runs and all folders above them, none of which may be removed."""
    folders = {Path(folder).resolve() for record in records if (folder := record.tags.get(FOLDER_TAG))}
    return folders.union(*(folder.parents for folder in folders))


def own_folder(record: Record, home: Path, used: set[Path]) -> Path | None:
    """Find the folder of a run; None if it is outside `multirun/` of this home, or another run uses it.

    Args:
        record: Run to remove.
        home: Folder that holds `multirun/`.
        used: Folders that stay, from `used_folders`.
    """
    tag = record.tags.get(FOLDER_TAG)
    if not tag or Path(tag).is_symlink():
        return None
    folder = Path(tag).resolve()
    is_ours = (home / "multirun").resolve() in folder.parents and folder.is_dir()
    return folder if is_ours and folder not in used else None


def artifact_folders(record: Record) -> tuple[Path, ...]:
    """Find the folders of a run and its model in MLflow's store; empty if the store is elsewhere."""
    address = urlparse(record.artifact_uri)
    folder = Path(unquote(address.path) if address.scheme else record.artifact_uri).parent
    if address.scheme not in ("", "file") or folder.name != record.run_id:
        return ()
    model = record.tags.get(MODEL_TAG, "").rpartition("/")[2]
    return (folder,) if record.is_sweep or not model else (folder, folder.parent / "models" / model)


def size(path: Path) -> int:
    """Add up the sizes of the files below a path, in bytes, without following links; 0 if it cannot be read."""
    try:
        if path.is_symlink() or not path.is_dir():
            return path.lstat().st_size
        return sum(Path(folder, file).lstat().st_size for folder, _, files in os.walk(path) for file in files)
    except OSError:
        return 0

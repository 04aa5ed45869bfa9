"""Find the files of a run on this machine and the cached files that no run uses, and their size."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from mlrunner.core import worker_cache
from mlrunner.core.errors import StoreError
from mlrunner.history.pruning.criteria import DAY
from mlrunner.tracking.records import FOLDER_TAG, MODEL_TAG, Record
from mlrunner.tracking.records.artifact_location import local_path
from mlrunner.tracking.records.sqlite_store import connect

DATABASE = Path(".mlrunner") / "zenml" / "local_stores" / "default_zen_store" / "zenml.db"
UNUSED = (  # see `removal.is_ours`: what others saved ("manual"), registered ("preexisting") or ran is not ours
    "SELECT uri FROM artifact_version v WHERE save_type = 'step_output' "
    "AND json_extract(materializer, '$.module') = 'mlrunner.steps.materializers' "  # by which ours are known
    "AND datetime(created) < datetime('now', '-1 day') AND NOT EXISTS "
    "(SELECT 1 FROM step_run_output_artifact o WHERE o.artifact_id = v.id) AND NOT EXISTS "
    "(SELECT 1 FROM step_run_input_artifact i WHERE i.artifact_id = v.id) AND NOT EXISTS "
    "(SELECT 1 FROM model_versions_artifacts m WHERE m.artifact_version_id = v.id) ORDER BY uri"
)


def unused_cache(home: Path) -> dict[Path, int]:
    """List our old tables, what this machine received as a worker, and unused step artifacts of the embedded ZenML.

    ZenML is not imported.

    Returns:
        Size in bytes by path.
    """
    paths: list[Path] = []
    if (home / DATABASE).is_file():
        with suppress(StoreError), connect(home / DATABASE) as connection:  # another version has other tables
            paths = [Path(str(uri)) for (uri,) in connection.execute(UNUSED)]
    return own_cache(home) | {path: total_size(path) for path in paths}


def own_cache(home: Path) -> dict[Path, int]:
    """List our old tables, and what this machine has received as a worker and not used for days, with sizes."""
    return old_tables(home) | {path: total_size(path) for path in worker_cache.list_unused()}


def old_tables(home: Path) -> dict[Path, int]:
    """Return our own cache and its size if all its files are older than a day: a younger one may still be written."""
    folder = home / ".mlrunner" / "cache"
    if not folder.is_dir() or folder.is_symlink():
        return {}
    newest = max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
    return {folder: total_size(folder)} if newest < time.time() - DAY else {}


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
    folder = record.own_folder(home)
    return None if folder in used else folder


def artifact_folders(record: Record) -> tuple[Path, ...]:
    """Find the folders of a run and its model in MLflow's store; empty if the store is elsewhere."""
    place = local_path(record.artifact_uri)
    if place is None or place.parent.name != record.run_id:
        return ()
    folder = place.parent
    model = record.tags.get(MODEL_TAG, "").rpartition("/")[2]
    return (folder,) if record.is_sweep or not model else (folder, folder.parent / "models" / model)


def total_size(path: Path) -> int:
    """Add up the sizes of the files below a path, in bytes, without following links; 0 if it cannot be read."""
    try:
        if path.is_symlink() or not path.is_dir():
            return path.lstat().st_size
        return sum(Path(folder, file).lstat().st_size for folder, _, files in os.walk(path) for file in files)
    except OSError:
        return 0


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove the folders that are empty, in this order."""
    for folder in folders:
        with suppress(OSError):  # not empty
            folder.rmdir()

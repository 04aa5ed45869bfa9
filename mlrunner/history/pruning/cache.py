"""List the cached files that no run uses: our own tables, and step artifacts of the embedded ZenML.

This only reads. `ZenmlRuns.delete_unused` asks ZenML's client again for what it deletes.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mlrunner.core.errors import StoreError
from mlrunner.history.pruning.criteria import DAY
from mlrunner.history.pruning.files import size
from mlrunner.tracking.records.sqlite_store import connect

DATABASE = Path(".mlrunner") / "zenml" / "local_stores" / "default_zen_store" / "zenml.db"
UNUSED = (
    "SELECT uri FROM artifact_version v WHERE datetime(created) < datetime('now', '-1 day') AND NOT EXISTS "
    "(SELECT 1 FROM step_run_output_artifact o WHERE o.artifact_id = v.id) AND NOT EXISTS "
    "(SELECT 1 FROM step_run_input_artifact i WHERE i.artifact_id = v.id) ORDER BY uri"
)


@dataclass(frozen=True)
class CacheEntry:
    """A cached folder that no run uses, and its size in bytes."""

    path: Path
    bytes: int


def unused_entries(home: Path) -> list[CacheEntry]:
    """List all unused entries; step artifacts only of the embedded ZenML."""
    paths: list[Path] = []
    if (home / DATABASE).is_file():
        with suppress(StoreError), connect(home / DATABASE) as connection:  # another version has other tables
            paths = [Path(str(uri)) for (uri,) in connection.execute(UNUSED)]
    return [*unused_tables(home), *(CacheEntry(path, size(path)) for path in paths)]


def unused_tables(home: Path) -> list[CacheEntry]:
    """List our own cache if all its files are older than a day: a younger one may still be written."""
    folder = home / ".mlrunner" / "cache"
    if not folder.is_dir() or folder.is_symlink():
        return []
    newest = max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
    return [CacheEntry(folder, size(folder))] if newest < time.time() - DAY else []

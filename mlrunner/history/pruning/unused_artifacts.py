"""Show which entries of the cache no run uses: our own tables, and step artifacts of the embedded ZenML.

This only reads. `Pipelines.remove_unused` asks ZenML's client again for what it deletes.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mlrunner.core.errors import StoreError
from mlrunner.history.pruning import DAY
from mlrunner.history.pruning.files import size
from mlrunner.tracking.records.sqlite_store import connected

DATABASE = Path(".mlrunner") / "zenml" / "local_stores" / "default_zen_store" / "zenml.db"
UNUSED = (
    "SELECT uri FROM artifact_version v WHERE datetime(created) < datetime('now', '-1 day') AND NOT EXISTS "
    "(SELECT 1 FROM step_run_output_artifact o WHERE o.artifact_id = v.id) AND NOT EXISTS "
    "(SELECT 1 FROM step_run_input_artifact i WHERE i.artifact_id = v.id) ORDER BY uri"
)


@dataclass(frozen=True)
class Leftover:
    """An entry that no run uses.

    Args:
        path: Its folder.
        bytes: Its size.
    """

    path: Path
    bytes: int


def tables(home: Path) -> list[Leftover]:
    """Find our own cache, if no file in it is younger than a day: a younger one may still be written."""
    folder = home / ".mlrunner" / "cache"
    if not folder.is_dir() or folder.is_symlink():
        return []
    newest = max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
    return [Leftover(folder, size(folder))] if newest < time.time() - DAY else []


def leftovers(home: Path) -> list[Leftover]:
    """Find all unused entries; another ZenML than the embedded one shows none."""
    paths: list[Path] = []
    if (home / DATABASE).is_file():
        with suppress(StoreError), connected(home / DATABASE) as connection:  # tables of another version
            paths = [Path(str(uri)) for (uri,) in connection.execute(UNUSED)]
    return [*tables(home), *(Leftover(path, size(path)) for path in paths)]

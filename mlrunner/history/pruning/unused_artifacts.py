"""Entries of the cache that no run uses: step artifacts of the embedded ZenML, and files that it does not know.

They come of runs that were deleted in ZenML itself, or killed while a step wrote.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from mlrunner.core.errors import StoreError
from mlrunner.history.pruning import DAY
from mlrunner.history.pruning.files import size
from mlrunner.tracking.records.sqlite_store import connected

DATABASE = Path("default_zen_store") / "zenml.db"
UNUSED = (
    "SELECT id, uri FROM artifact_version v WHERE NOT EXISTS (SELECT 1 FROM step_run_output_artifact o WHERE "
    "o.artifact_id = v.id) AND NOT EXISTS (SELECT 1 FROM step_run_input_artifact i WHERE i.artifact_id = v.id)"
)
USES = " UNION ".join(
    f"SELECT p.name, v.uri FROM step_run_{way}_artifact u JOIN step_run s ON s.id = u.step_id "
    "JOIN pipeline_run p ON p.id = s.pipeline_run_id JOIN artifact_version v ON v.id = u.artifact_id"
    for way in ("output", "input")
)
DIGITS = 12  # of a run's id, in the name of its pipeline run
SEARCH = re.compile(rf"search-([0-9a-f]{{{DIGITS}}})-")


@dataclass(frozen=True)
class Leftover:
    """An entry that no run uses.

    Args:
        path: Its folder.
        bytes: Its size.
        version: ZenML's id of it; None for files that ZenML does not know.
    """

    path: Path
    bytes: int
    version: str | None


def leftovers(home: Path) -> list[Leftover]:
    """Find what is a day old and no run uses; another ZenML than the embedded one keeps its own house."""
    own = home / ".mlrunner" / "cache"
    is_there = own.is_dir() and not own.is_symlink()
    found = [Leftover(own, size(own), None)] if is_there and _are_old(own, *own.rglob("*")) else []
    stores = home / ".mlrunner" / "zenml" / "local_stores"
    if not (stores / DATABASE).is_file():
        return found
    try:
        with connected(stores / DATABASE) as connection:
            unused = {str(uri): str(UUID(str(version))) for version, uri in connection.execute(UNUSED)}
            known = {str(uri) for (uri,) in connection.execute("SELECT uri FROM artifact_version")}
    except StoreError:  # another version of ZenML: its tables are not ours to guess
        return found
    old = sorted((Path(uri), version) for uri, version in unused.items() if _are_old(Path(uri)))
    found += [Leftover(path, size(path), version) for path, version in old]
    return found + [Leftover(path, size(path), None) for path in _strange(stores, known)]


def steps_of(home: Path, run_ids: Iterable[str]) -> dict[str, list[Path]]:
    """Find the step artifacts that go with runs, for no other run uses them; each with one of the runs."""
    file = home / ".mlrunner" / "zenml" / "local_stores" / DATABASE
    users: dict[str, set[str]] = defaultdict(set)
    if file.is_file():
        with suppress(StoreError), connected(file) as connection:  # as above
            for name, uri in connection.execute(USES):
                search = SEARCH.match(name)
                users[uri].add(search[1] if search else name[-DIGITS:])
    going = {run_id[:DIGITS]: run_id for run_id in run_ids}
    found: dict[str, list[Path]] = defaultdict(list)
    for uri, runs in users.items():
        if runs <= going.keys():
            found[going[min(runs)]].append(Path(uri))
    return found


def _strange(stores: Path, known: set[str]) -> list[Path]:
    """Find artifacts that ZenML does not know."""
    return [
        path
        for path in sorted(stores.glob("*/*/*/*/*"))  # STORE/STEP/OUTPUT/STEP RUN/VERSION
        if _is_id(path.parts[-2]) and _is_id(path.parts[-5]) and str(path) not in known and _are_old(path)
    ]


def _are_old(*paths: Path) -> bool:
    """Tell whether all are a day old, so that nobody is writing them; what is not there is."""
    before = time.time() - DAY
    return all(not path.exists() or path.stat().st_mtime < before for path in paths)


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False

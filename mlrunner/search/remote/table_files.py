"""Tables on a worker: on a shared disk, or in files that each machine receives once, named by their content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from mlrunner.core.worker_cache import cache_folder, mark_used, remove_unused
from mlrunner.search.trial import RepeatTask, TrialTask


class MissingTablesError(Exception):
    """Tables that this machine neither shares nor has received.

    Args:
        paths: Their paths in the task.
    """

    def __init__(self, paths: list[str]) -> None:
        super().__init__(paths)
        self.paths = paths


def digest_file(path: str) -> str:
    """Digest the content of a file."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def store_table(digest: str, content: bytes) -> None:
    """Write a table into the folder of this machine, unless it is there."""
    file = _received(digest)
    with FileLock(file.with_name("lock")):
        if not file.exists():
            remove_unused()
            part = file.with_suffix(".part")
            part.write_bytes(content)
            part.rename(file)


def _received(digest: str) -> Path:
    return cache_folder("tables") / f"{digest}.arrow"


def find_tables(task: TrialTask, digests: Mapping[str, str]) -> TrialTask:
    """Return the task with the paths of its tables on this machine.

    Args:
        task: Task with the paths of the driver's machine.
        digests: Digest by path, of the tables that were sent to any machine.

    Raises:
        MissingTablesError: When this machine has not all of them.
    """
    paths = list_tables(task)
    places = {path: _find(path, digests.get(path)) for path in paths}
    missing = [path for path in paths if places[path] is None]
    if missing:
        raise MissingTablesError(missing)
    return replace(task, repeats=tuple(_relocate(repeat, places) for repeat in task.repeats))


def list_tables(task: TrialTask) -> list[str]:
    """List the paths of the tables of a task, each once."""
    paths = [path for repeat in task.repeats for path in (repeat.train, repeat.validation, repeat.folds)]
    return list(dict.fromkeys(filter(None, paths)))


def _find(path: str, digest: str | None) -> str | None:
    if Path(path).exists():
        return path
    if digest is None or not (file := _received(digest)).exists():
        return None
    mark_used(file)
    return str(file)


def _relocate(repeat: RepeatTask, places: Mapping[str, str | None]) -> RepeatTask:
    train, validation, folds = (places.get(path) or "" for path in (repeat.train, repeat.validation, repeat.folds))
    return replace(repeat, train=train, validation=validation, folds=folds)

"""What belongs to a run on this disk, and how large it is."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlparse

from mlrunner.tracking.records import FOLDER, MODEL, STUDY, Record, journal_of
from mlrunner.tracking.study_lookup import storage


@dataclass(frozen=True)
class Places:
    """The files of a run.

    Args:
        folder: Under `multirun/`; None where there is none that may be removed.
        artifacts: MLflow's folder of the run, and of its model; empty where the store keeps them elsewhere.
        study: The journal of a sweep; None where there is none.
        study_name: Of a sweep that searched, if no other sweep goes on with its study.
    """

    folder: Path | None
    artifacts: tuple[Path, ...]
    study: Path | None = None
    study_name: str | None = None

    @property
    def all(self) -> tuple[Path, ...]:
        """Every one of them."""
        return (*self.artifacts, *(one for one in (self.folder, self.study) if one is not None))


def places(record: Record, home: Path, used: set[Path], studies: Container[str | None] = ()) -> Places:
    """Find what belongs to a run.

    Args:
        record: That goes.
        home: The folder that holds `multirun/` and `.mlrunner/`.
        used: The folders of the runs that stay, and all above them, from `in_use`.
        studies: Of the sweeps that stay.
    """
    told = record.tags.get(STUDY) if record.is_sweep else None
    name = None if told in studies else told
    file = None if name is None else journal(record, home, name)
    return Places(own_folder(record, home, used), artifacts(record), file, name)


def in_use(records: Iterable[Record]) -> set[Path]:
    """Name the folders of runs, and all folders above them: none of those may be removed."""
    found: set[Path] = set()
    for told in {one.tags[FOLDER] for one in records if one.tags.get(FOLDER)}:
        folder = Path(_resolved(told))
        found.add(folder)
        for above in folder.parents:
            if above in found:
                break
            found.add(above)
    return found


def own_folder(record: Record, home: Path, used: set[Path]) -> Path | None:
    """Find the folder of a run, if it is under `multirun/` of this home and no other run needs it."""
    told = record.tags.get(FOLDER)
    if not told or os.path.islink(told):  # noqa: PTH114 - thousands of them, and Path takes its time
        return None
    found = _resolved(told)
    if not found.startswith(f"{_root(home)}{os.sep}") or not os.path.isdir(found):  # noqa: PTH112
        return None
    folder = Path(found)
    return None if folder in used else folder


def is_outside(folder: str, home: Path) -> bool:
    """Tell whether a folder is there and not under `multirun/` of this home, so that no prune removes it."""
    return Path(folder).is_dir() and not f"{_resolved(folder)}{os.sep}".startswith(f"{_root(home)}{os.sep}")


def _resolved(folder: str) -> str:
    """Follow the links of a path; of the thousands that are in one folder, those of that folder once."""
    above, name = os.path.split(folder)
    if name in ("", os.curdir, os.pardir) or os.path.islink(folder):  # noqa: PTH114 - as below
        return os.path.realpath(folder)
    return os.path.join(_real(above), name)  # noqa: PTH118 - as below


@cache
def _real(folder: str) -> str:
    return os.path.realpath(folder)


@cache
def _root(home: Path) -> Path:
    return (home / "multirun").resolve()


def artifacts(record: Record) -> tuple[Path, ...]:
    """Find the folders that MLflow keeps for a run, where they are on this disk."""
    folder = local(record.artifact_uri)
    if folder is None or folder.parent.name != record.run_id:
        return ()
    model = record.tags.get(MODEL, "").rpartition("/")[2]
    own = folder.parent
    return (own,) if record.is_sweep or not model else (own, own.parent / "models" / model)


def local(uri: str) -> Path | None:
    """Turn an address into a path; None where it is none of this machine."""
    scheme, colon, rest = uri.partition(":")
    if not colon:
        return Path(uri) if uri else None
    return Path(unquote(urlparse(uri).path)) if scheme == "file" and rest else None


def journal(record: Record, home: Path, name: str) -> Path | None:
    """Find the journal of a sweep's study that no other storage was named for."""
    file = journal_of(home, name)
    return file if file.is_file() and storage(record) is None else None


def size(path: Path, counted: Container[Path] = ()) -> int:
    """Add up what is below a path, without following links; what cannot be read counts nothing.

    Args:
        path: A file or a folder.
        counted: What counts nothing, because it was counted before.
    """
    if path in counted:
        return 0
    try:
        if path.is_symlink() or not path.is_dir():
            return path.lstat().st_size
        with os.scandir(path) as found:
            return sum(_size(entry, counted) for entry in found)
    except OSError:
        return 0


def _size(entry: os.DirEntry[str], counted: Container[Path]) -> int:
    try:
        is_folder = entry.is_dir(follow_symlinks=False)
        return size(Path(entry.path), counted) if is_folder else entry.stat(follow_symlinks=False).st_size
    except OSError:
        return 0


def empty_above(folder: Path, home: Path) -> Sequence[Path]:
    """Name the folders between `multirun/` and a folder, the innermost first."""
    return [above for above in folder.parents if _root(home) in above.parents]

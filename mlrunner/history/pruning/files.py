"""The files of a run on this disk, and their size."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlparse

from mlrunner.tracking.records import FOLDER, MODEL, STUDY, Record
from mlrunner.tracking.study_lookup import journal


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
        """All files and folders."""
        return (*self.artifacts, *(path for path in (self.folder, self.study) if path is not None))


def places(record: Record, home: Path, used: set[Path], studies: Container[str | None] = ()) -> Places:
    """Find the files of a run.

    Args:
        record: A run that goes.
        home: The folder that holds `multirun/` and `.mlrunner/`.
        used: The folders of the runs that stay, and all above them, from `in_use`.
        studies: Names of the studies of the sweeps that stay.
    """
    study = record.tags.get(STUDY) if record.is_sweep else None
    name = None if study in studies else study
    file = None if name is None else journal(record, home, name)
    return Places(own_folder(record, home, used), artifacts(record), file, name)


def in_use(records: Iterable[Record]) -> set[Path]:
    """List the folders of runs, and all folders above them: none of those may be removed."""
    folders = {Path(folder).resolve() for record in records if (folder := record.tags.get(FOLDER))}
    return folders.union(*(folder.parents for folder in folders))


def own_folder(record: Record, home: Path, used: set[Path]) -> Path | None:
    """Find the folder of a run, if it is under `multirun/` of this home and no other run needs it."""
    tag = record.tags.get(FOLDER)
    if not tag or Path(tag).is_symlink():
        return None
    folder = Path(tag).resolve()
    is_ours = (home / "multirun").resolve() in folder.parents and folder.is_dir()
    return folder if is_ours and folder not in used else None


def is_outside(folder: str, home: Path) -> bool:
    """Tell whether a folder exists and is not under `multirun/` of this home, so that no prune removes it."""
    return Path(folder).is_dir() and not Path(folder).resolve().is_relative_to((home / "multirun").resolve())


def artifacts(record: Record) -> tuple[Path, ...]:
    """Find the folders that MLflow keeps for a run, where they are on this disk."""
    folder = local(record.artifact_uri)
    if folder is None or folder.parent.name != record.run_id:
        return ()
    model = record.tags.get(MODEL, "").rpartition("/")[2]
    own = folder.parent
    return (own,) if record.is_sweep or not model else (own, own.parent / "models" / model)


def local(uri: str) -> Path | None:
    """Turn an address into a path; None where it is not on this machine."""
    scheme, colon, rest = uri.partition(":")
    if not colon:
        return Path(uri) if uri else None
    return Path(unquote(urlparse(uri).path)) if scheme == "file" and rest else None


def size(path: Path) -> int:
    """Add up the files below a path without following links; what cannot be read counts nothing."""
    try:
        if path.is_symlink() or not path.is_dir():
            return path.lstat().st_size
        return sum(Path(folder, file).lstat().st_size for folder, _, files in os.walk(path) for file in files)
    except OSError:
        return 0


def empty_above(folder: Path, home: Path) -> list[Path]:
    """List the folders between `multirun/` and a folder, the innermost first."""
    return [above for above in folder.parents if (home / "multirun").resolve() in above.parents]

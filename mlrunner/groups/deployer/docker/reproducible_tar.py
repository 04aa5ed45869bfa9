"""Tar files whose bytes depend on nothing but names and contents, so that equal inputs make equal layers."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO

MOMENT = 315_532_800  # the first of January 1980, the oldest that every archive format can tell
SKIPPED = frozenset({"__pycache__", ".DS_Store"})


def pack(target: IO[bytes], texts: Mapping[str, str], folders: Mapping[str, Path], *, compiled: bool = True) -> None:
    """Write a build context: sorted, owned by root, of one moment, readable by all.

    Args:
        target: Open for writing.
        texts: Name in the archive to content.
        folders: Relative name in the archive to a folder; the folders above a name are made.
        compiled: Whether `__pycache__` is taken along.
    """
    made: set[str] = set()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, text in sorted(texts.items()):
            _add_bytes(archive, name, text.encode())
        for name, folder in sorted(folders.items()):
            for above in [*reversed(PurePosixPath(name).parents[:-1]), PurePosixPath(name)]:
                _add_folder(archive, str(above), made)
            for path in walk(folder, compiled=compiled):
                _add(archive, f"{name}/{path.relative_to(folder).as_posix()}", path, made)


def walk(folder: Path, *, compiled: bool = True) -> Iterator[Path]:
    """List all that a folder holds, each folder before its content, in the order of the names."""
    for path in sorted(folder.iterdir(), key=lambda found: found.name):
        if path.name in SKIPPED and not (compiled and path.name == "__pycache__"):
            continue
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from walk(path, compiled=compiled)


def digest(*folders: Path) -> str:
    """Take the fingerprint of names and contents, whatever their dates and owners."""
    found = hashlib.sha256()
    for folder in folders:
        for path in walk(folder, compiled=False):
            if path.is_file():
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                found.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
        found.update(b"\0")
    return found.hexdigest()


def _add(archive: tarfile.TarFile, name: str, path: Path, made: set[str]) -> None:
    if path.is_symlink():
        info = _info(name, 0o777)
        info.type, info.linkname = tarfile.SYMTYPE, str(path.readlink())
        archive.addfile(info)
    elif path.is_dir():
        _add_folder(archive, name, made)
    else:
        runs = path.stat().st_mode & 0o100
        info = _info(name, 0o755 if runs else 0o644)
        info.size = path.stat().st_size
        with path.open("rb") as content:
            archive.addfile(info, content)


def _add_folder(archive: tarfile.TarFile, name: str, made: set[str]) -> None:
    if name not in made:
        made.add(name)
        info = _info(name, 0o755)
        info.type = tarfile.DIRTYPE
        archive.addfile(info)


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = _info(name, 0o644)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def _info(name: str, mode: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mode, info.mtime = mode, MOMENT
    return info

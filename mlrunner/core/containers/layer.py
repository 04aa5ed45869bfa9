"""Put libraries on a base image as one layer, without a build: each file is copied to the engine once."""

from __future__ import annotations

import itertools
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

from mlrunner.core.containers import installed, wheels
from mlrunner.core.containers.bytecode import compile_folder
from mlrunner.core.containers.pins import Target

CHUNK = 1 << 20
OPENMP = "libgomp.so.1"  # LightGBM needs it, and slim bases lack it


def collect(pins: list[str], target: Target, work: Path, prefix: str) -> tuple[dict[str, Path], list[str]]:
    """Collect libraries and their bytecode: what is installed here, and wheels of the rest.

    Args:
        pins: Pinned requirements.
        target: Python that imports them.
        work: Folder for temporary files.
        prefix: Site folder in the image.

    Returns:
        The files by their path in the site folder, and the pins as `wheels.download` returns them.

    Raises:
        DeployError: When a package cannot be downloaded.
    """
    platforms = wheels.list_platforms(target)[1::2]
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda pin: installed.find_files(pin, platforms), pins))
    files = {name: path for package in found if package is not None for name, path in package.items()}
    missing = [pin for pin, package in zip(pins, found, strict=True) if package is None]
    present = [pin for pin in pins if pin not in missing]
    site = work / "site"
    site.mkdir()
    if missing:
        missing = wheels.install(missing, target, work / "wheels", site)
    files |= _add_bytecode(files, site)
    compile_folder(site, prefix)
    added = {path.relative_to(site).as_posix(): path for path in site.rglob("*") if path.is_file()}
    files |= {name: path for name, path in added.items() if not installed.is_unused(name)}
    return files, sorted([*present, *missing])


def _add_bytecode(files: Mapping[str, Path], uncompiled: Path) -> dict[str, Path]:
    """Find the bytecode of files; copy those without to a folder."""
    bytecode: dict[str, Path] = {}
    for name, path in files.items():
        if path.suffix != ".py":
            continue
        cached = installed.find_bytecode(path)
        if cached is not None:
            bytecode[str(PurePosixPath(name).parent / "__pycache__" / cached.name)] = cached
        else:
            copy = uncompiled / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)
    return bytecode


def add_layer(client: Any, base: Any, files: Mapping[str, Path], prefix: str) -> Any:
    """Add files to an image.

    Args:
        client: Client of Docker's engine.
        base: Image.
        files: Files by their path in a folder of the image.
        prefix: That folder.

    Returns:
        The new image, without a tag.
    """
    config = base.attrs["Config"]
    command = None if config.get("Cmd") or config.get("Entrypoint") else ["python3"]  # the engine insists on one
    container = client.containers.create(base.id, command)
    try:
        container.put_archive("/", archive(files, prefix.strip("/")))
        return container.commit()
    finally:
        container.remove(force=True)


def archive(files: Mapping[str, Path], prefix: str) -> Iterator[bytes]:
    """Archive files as tar, owned by root and readable by every user.

    Args:
        files: Files by their path.
        prefix: Folder of the paths, relative to the root.

    Returns:
        Parts of the archive.
    """
    paths = {PurePosixPath(prefix, name): path for name, path in sorted(files.items())}
    folders = {folder for path in paths for folder in path.parents[:-1]}
    for folder in sorted(folders):
        yield _head(folder, tarfile.DIRTYPE, mode=0o755)
    for name, path in paths.items():
        facts = path.stat()
        mode = 0o755 if facts.st_mode & 0o100 else 0o644
        yield _head(name, tarfile.REGTYPE, mode=mode, size=facts.st_size, mtime=int(facts.st_mtime))
        with path.open("rb") as file:
            yield from iter(lambda opened=file: opened.read(CHUNK), b"")  # type: ignore[misc]
        yield bytes(-facts.st_size % tarfile.BLOCKSIZE)
    libraries = (name for name in files if ".libs/libgomp-" in name and ".so" in name)
    for library in itertools.islice(libraries, 1):
        yield _head(PurePosixPath(prefix, OPENMP), tarfile.SYMTYPE, linkname=library)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _head(name: PurePosixPath, kind: bytes, **facts: Any) -> bytes:
    """Write the header of one member of an archive."""
    member = tarfile.TarInfo(str(name))
    member.type = kind
    for key, value in facts.items():
        setattr(member, key, value)
    return member.tobuf(tarfile.PAX_FORMAT)

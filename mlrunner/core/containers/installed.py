"""Find packages that are installed here and that an image can use as they are, which saves download and installation.

The base of an image has the same minor version of Python, so that Python files, bytecode and manylinux wheels fit it.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.metadata
import importlib.util
import re
from importlib.metadata import Distribution
from pathlib import Path

from packaging.tags import parse_tag

INSTALLERS = ("pip", "uv")  # packages of conda or Debian link to libraries outside of their folder
UNUSED_SUFFIXES = r"\|".join(["pyi", "pyx", "pxd", "pxi", "h", "hpp", "c", "cpp", "a", "lib", "f90", "exe"])
UNUSED = re.compile(
    rf"(bin|share)/.*|.*\.({UNUSED_SUFFIXES.replace(chr(92), '')})"
    r"|(.*/)?tests?/(.*/)?((test_|conftest)[^/]*|[^/]*(?<!\.py))"
)  # as in `render_installation`


def is_unused(name: str) -> bool:
    """Return whether nothing imports a file of a site folder: headers, stubs, tests and their data, and scripts."""
    return UNUSED.fullmatch(name) is not None


def find_files(pin: str, platforms: list[str]) -> dict[str, Path] | None:
    """Find the files of an installed package, without those that nothing imports.

    Args:
        pin: Requirement such as `pandas==3.0.0`.
        platforms: Platforms of wheels that the image can load, such as `manylinux_2_28_x86_64`.

    Returns:
        The files by their path in a site folder; None when the image needs a wheel: another version is installed, it
        was built here or for another machine, or a file was changed since.
    """
    name, _, version = pin.partition("==")
    try:
        package = importlib.metadata.distribution(name)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return None
    if package.version != version or not _fits(package, platforms):
        return None
    record = {row[0]: row[1] for row in csv.reader((package.read_text("RECORD") or "").splitlines()) if row}
    inside = {name: value for name, value in record.items() if ".." not in name.split("/") and name[-4:] != ".pyc"}
    paths = {name: Path(str(package.locate_file(name))) for name in inside}
    if not all(_is_unchanged(paths[name], checksum) for name, checksum in inside.items()):
        return None
    return {name: path for name, path in paths.items() if not is_unused(name)} or None


def _fits(package: Distribution, platforms: list[str]) -> bool:
    """Return whether a package was installed from a wheel of an index that the image can load."""
    installer = (package.read_text("INSTALLER") or "").strip()
    if installer not in INSTALLERS or package.read_text("direct_url.json") is not None:
        return False
    tags = re.findall(r"^Tag: (\S+)", package.read_text("WHEEL") or "", re.MULTILINE)
    built_for = {tag.platform for text in tags for tag in parse_tag(text)}
    return not built_for.isdisjoint({"any", *(name for name in platforms if name.startswith("manylinux"))})


def _is_unchanged(path: Path, checksum: str) -> bool:
    """Compare a file with the checksum that its wheel has for it; some files, such as the list itself, have none."""
    algorithm, _, value = checksum.partition("=")
    try:
        digest = hashlib.new(algorithm, path.read_bytes()).digest() if checksum else b""
    except (OSError, ValueError):
        return False
    return base64.urlsafe_b64encode(digest).decode().rstrip("=") == value and path.is_file()


def find_bytecode(source: Path) -> Path | None:
    """Find the bytecode that Python would load for a source file; None when it would compile the file anew."""
    path = Path(importlib.util.cache_from_source(str(source)))
    facts = source.stat()
    fields = (0, int(facts.st_mtime), facts.st_size)  # flags of bytecode that is valid for a time and a size
    expected = importlib.util.MAGIC_NUMBER + b"".join((field & 0xFFFFFFFF).to_bytes(4, "little") for field in fields)
    try:
        with path.open("rb") as file:
            return path if file.read(len(expected)) == expected else None
    except OSError:
        return None

"""Find which installed package provides a module."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from importlib.metadata import Distribution, distributions


def list_packages(module: str) -> list[str]:
    """Return the names of the installed packages that provide a module; none for a file of the user.

    Args:
        module: Dotted name; only its first part counts.
    """
    return [str(package.metadata["Name"]) for package in _packages_by_module().get(module.partition(".")[0], ())]


@cache
def _packages_by_module() -> dict[str, list[Distribution]]:
    """List the packages of each top-level module.

    `importlib.metadata.packages_distributions` finds the same in ten times the time, which is a tenth of a run: it
    makes a path of each installed file, and parses the metadata of each package.
    """
    packages: dict[str, list[Distribution]] = defaultdict(list)
    for package in distributions():
        for name in _list_modules(package):
            packages[name].append(package)
    return dict(packages)


def _list_modules(package: Distribution) -> set[str]:
    """Return the top-level modules of a package: those that it declares, or else those of its files."""
    declared = (package.read_text("top_level.txt") or "").split()
    record = package.read_text("RECORD")
    if declared or record is None:
        files = () if declared else package.files or ()
        return {*declared, *(file.parts[0].removesuffix(".py") for file in files if file.suffix == ".py")}
    paths = [line.lstrip('"').partition(",")[0] for line in record.splitlines()]
    return {path.partition("/")[0].removesuffix(".py") for path in paths if path.endswith(".py")}

"""Digest the code that an object runs on, for the cache key of the step that runs it."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import sys
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path

DATA_LIBRARIES = ("pandas", "numpy", "pyarrow", "scikit-learn")


def code_digest(built: object, *modules: str) -> str:
    """Digest the source that an object runs on and the versions of the libraries below it.

    Args:
        built: What a group was built into.
        modules: More modules that the step of the group runs on.

    ZenML's own cache key holds the source of a step and not of the strategy inside it, so an edited
    strategy would be served stale; this digest, a parameter of each cached step, mends that.
    """
    files: dict[str, bytes] = {}
    for name in [*(cls.__module__ for cls in type(built).__mro__), *modules]:
        _collect(name, files)
    versions = [f"{name} {metadata.version(name)}" for name in DATA_LIBRARIES]
    digest = hashlib.sha256(json.dumps([sys.version, versions]).encode())
    for name in sorted(files):
        digest.update(files[name])
    return digest.hexdigest()[:16]


def sources(built: Iterable[object], modules: Iterable[str]) -> dict[str, str]:
    """Digest each source file that a run stands on, for whoever wants to know later which one has changed.

    Args:
        built: What groups were built into.
        modules: More modules by name.

    Returns:
        Module to digest: ours and the user's own, nothing that is installed.
    """
    files: dict[str, bytes] = {}
    for name in [*(cls.__module__ for one in built for cls in type(one).__mro__), *modules]:
        _collect(name, files)
    return {name: hashlib.sha256(files[name]).hexdigest()[:16] for name in sorted(files)}


def _collect(name: str, found: dict[str, bytes]) -> None:
    """Collect the source of a module of the user's or ours, and of those that it imports, and so on."""
    file = None if name in found else _project_file(name)
    if file is None:
        return
    found[name] = file.read_bytes()
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for imported in _imports(found[name], package):
        _collect(imported, found)


def _project_file(name: str) -> Path | None:
    """Find the source of a module; None for what is installed, built in or not there."""
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names or (name != top and _project_file(top) is None):
        return None
    module = sys.modules.get(name)
    try:
        spec = importlib.util.find_spec(name) if module is None else None
    except (ImportError, ValueError):  # a name that is imported from a module and is none itself
        return None
    file = getattr(module, "__file__", None) or (spec.origin if spec is not None else None)
    is_installed = {"site-packages", "dist-packages"} & set(Path(str(file)).parts) and top != __package__
    return None if file is None or is_installed or not file.endswith(".py") else Path(file)


@cache
def _imports(source: bytes, package: str) -> list[str]:
    """Read which modules a source may import, wherever in it the import stands."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found += [base, *[f"{base}.{alias.name}" for alias in node.names]]
    return found

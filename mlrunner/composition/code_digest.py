"""Digest source code: for the cache keys of steps, and for comparing runs later."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from importlib import metadata
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

# Modules that the cached steps run on, beside that of the group's class.
STEP_CODE = ("mlrunner.groups.dataset.loading", "mlrunner.groups.cleaning", "mlrunner.steps.materializers")
OWN = __name__.partition(".")[0]
IMPORT = re.compile(rb"^[ \t]*(?:from\b[^\n]*?\bimport\b[ \t]*(?:\([^)]*\)|[^\n(]*)|import\b[^\n]*)", re.MULTILINE)
HIDDEN = re.compile(rb"[:;][ \t]*(?:from|import)\b|^[ \t]*(?:from|import)\b[^\n]*\\\r?$", re.MULTILINE)
DATA_LIBRARIES = ("pandas", "numpy", "pyarrow", "scikit-learn")


def code_digest(cls: type, *modules: str) -> str:
    """Digest the source that a class runs on, and the versions of the libraries below it.

    ZenML's cache key contains the source of a step, but not that of the class of the config group that the step uses.
    Each cached step has this digest as a parameter, so that an edited class invalidates the cache.

    Args:
        cls: Class of a config group.
        modules: Names of further modules that the step runs on.
    """
    files: dict[str, bytes] = {}
    for name in [*(base.__module__ for base in cls.__mro__), *modules]:
        _collect(name, files)
    versions = [f"{name} {metadata.version(name)}" for name in DATA_LIBRARIES]
    digest = hashlib.sha256(json.dumps([sys.version, versions]).encode())
    for name in sorted(files):
        digest.update(files[name])
    return digest.hexdigest()[:16]


def source_digests(built: Iterable[object], modules: Iterable[str]) -> dict[str, str]:
    """Digest each source file that a run depends on.

    Args:
        built: Objects that the config groups were built into.
        modules: Names of further modules.

    Returns:
        Digest by module: of mlrunner's and the user's modules; installed packages are left out.
    """
    files: dict[str, bytes] = {}
    for name in [*(cls.__module__ for part in built for cls in type(part).__mro__), *modules]:
        _collect(name, files)
    return {name: hashlib.sha256(files[name]).hexdigest()[:16] for name in sorted(files)}


def _collect(name: str, sources: dict[str, bytes]) -> None:
    """Add the source of a module that is not installed, and of the modules that it imports, to `sources`."""
    file = None if name in sources else _project_file(name)
    if file is None:
        return
    sources[name] = file.read_bytes()
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for imported in _imports(sources[name], package):
        _collect(imported, sources)


def _project_file(name: str) -> Path | None:
    """Return the source file of a module; None when it is installed, built in or does not exist."""
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names or (name != top and _project_file(top) is None):
        return None
    module = sys.modules.get(name)
    spec = _find_spec(name) if module is None else None
    file = getattr(module, "__file__", None) or (spec.origin if spec is not None else None)
    is_installed = {"site-packages", "dist-packages"} & set(Path(str(file)).parts) and top != OWN
    return None if file is None or is_installed or not file.endswith(".py") else Path(file)


def _find_spec(name: str) -> ModuleSpec | None:
    """Find a module without importing it or a package that holds it.

    Args:
        name: Name of a module, or of a function or class, which an import statement may contain as well.

    Returns:
        Where the module is; None when `name` is no module.
    """
    package, _, last = name.rpartition(".")
    if not package:
        return importlib.util.find_spec(last) if last else None
    if (parent := sys.modules.get(package)) is not None:
        folders = getattr(parent, "__path__", None)
    else:
        spec = _find_spec(package)
        folders = None if spec is None else spec.submodule_search_locations
    return None if folders is None else PathFinder.find_spec(name, folders)


@cache
def _imports(source: bytes, package: str) -> list[str]:
    """Return the names that a source imports, anywhere in it; a name may be that of a function or class."""
    names: list[str] = []
    for node in ast.walk(_parse_imports(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names += [base, *[f"{base}.{alias.name}" for alias in node.names]]
    return names


def _parse_imports(source: bytes) -> ast.Module:
    """Parse the import statements of a source, which takes an eighth of the time that all of it takes.

    Lines of a text that look like imports are parsed as well; the whole source is where a line hides or splits one.
    """
    if not HIDDEN.search(source):
        with suppress(SyntaxError):
            return ast.parse(b"\n".join(statement.strip() for statement in IMPORT.findall(source)))
    return ast.parse(source)


def digest_code(part: object) -> str:
    """Digest the code that a cached step runs on."""
    return _digest_class(type(part))  # type: ignore[arg-type]


@cache
def _digest_class(cls: Any) -> str:
    """Digest once a process: an imported module does not change any more."""
    return code_digest(cls, *STEP_CODE)

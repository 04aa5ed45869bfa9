"""Refuse workers whose Python, packages or sources would change a result."""

from __future__ import annotations

import hashlib
import platform
import sys
from functools import cache
from pathlib import Path
from typing import Any

from mlrunner.core.errors import brief
from mlrunner.core.machine import identify_machine
from mlrunner.core.project import PACKAGE

SOURCES = ("core", "groups", "evaluation", "search/trial")  # what a trial runs on
DECISIVE = ("numpy", "scipy", "pandas", "pyarrow", "scikit-learn", "xgboost", "lightgbm", "catboost")


@cache
def describe_installation() -> dict[str, Any]:
    """Describe what this process would run a trial with, and on which machine."""
    return {
        "machine": identify_machine(),
        "python": ".".join(map(str, sys.version_info[:3])),
        "processor": platform.machine(),
        "sources": _digest_sources(),
        "packages": _list_versions(),
    }


def _digest_sources() -> str:
    digest = hashlib.sha256()
    for folder in SOURCES:
        for file in sorted((PACKAGE / folder).rglob("*.py")):
            digest.update(str(file.relative_to(PACKAGE)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _list_versions() -> dict[str, str]:
    """Return the version of each installed package, from the names of folders: reading 250 files takes a second."""
    versions: dict[str, str] = {}
    for folder in filter(None, sys.path):
        for path in Path(folder).glob("*.dist-info"):
            name, _, version = path.stem.partition("-")
            versions.setdefault(name.lower().replace("_", "-"), version)  # Python imports the first one
    return versions


def list_conflicts(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """List what a worker has otherwise than this process, and what could change a result.

    Args:
        ours: Description of this process.
        theirs: Description of the worker.
    """
    clauses = []
    if _minor(ours["python"]) != _minor(theirs["python"]):
        clauses.append(f"Python {theirs['python']} instead of {ours['python']}")
    if ours["processor"] != theirs["processor"]:
        clauses.append(f"a {theirs['processor']} processor instead of {ours['processor']}")
    for name in DECISIVE:
        version, expected = theirs["packages"].get(name, "none"), ours["packages"].get(name, "none")
        if version != expected and expected != "none":
            clauses.append(f"{name} {version} instead of {expected}")
    if ours["sources"] != theirs["sources"]:
        clauses.append("other source files of mlrunner")
    return clauses


def describe_others(ours: dict[str, Any], theirs: dict[str, Any]) -> str | None:
    """Describe the packages whose versions differ without a known effect on results; None without any."""
    names = [name for name in ours["packages"] if name not in DECISIVE and name in theirs["packages"]]
    versions = {name: (theirs["packages"][name], ours["packages"][name]) for name in sorted(names)}
    texts = [f"{name} {other} instead of {own}" for name, (other, own) in versions.items() if other != own]
    return brief(texts) if texts else None


def _minor(version: str) -> str:
    return version.rpartition(".")[0]

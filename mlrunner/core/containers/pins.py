"""Pin requirements and all their dependencies to the versions that are installed here."""

from __future__ import annotations

import importlib.metadata
import platform
from collections import deque
from collections.abc import Iterable, Set
from dataclasses import dataclass

from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from mlrunner.core.errors import DeployError

NOTHING: frozenset[str] = frozenset()
GPU_PREFIX = "nvidia-"
CPU_ONLY = {"xgboost": "xgboost-cpu"}  # the same package without GPU code


@dataclass(frozen=True)
class Target:
    """The Python that imports the libraries.

    Args:
        version: Version such as `3.11.7`.
        machine: Architecture such as `x86_64`.
        glibc: Major and minor version of the C library.
    """

    version: str
    machine: str
    glibc: tuple[int, int]

    @property
    def minor(self) -> str:
        """Major and minor version, on which compiled files and wheels depend."""
        return ".".join(self.version.split(".")[:2])

    @property
    def markers(self) -> dict[str, str]:
        """Values of the environment markers in requirements."""
        python = {"python_version": self.minor, "python_full_version": self.version, "platform_machine": self.machine}
        linux = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
        return {**{name: str(value) for name, value in default_environment().items()}, **python, **linux}


def get_local_target() -> Target:
    """Return the Python that runs here, as if on Linux; a base image must have the same minor version."""
    return Target(platform.python_version(), platform.machine(), (2, 28))


def pin_requirements(
    requirements: Iterable[str], target: Target, excluded: Set[str] = NOTHING, optional: Set[str] = NOTHING
) -> list[str]:
    """Pin requirements, with all dependencies, to the installed versions.

    Args:
        requirements: Lines of a requirements file; an exact version wins over the installed one.
        target: Python that imports the libraries.
        excluded: Packages that are left out, with what only they need.
        optional: Packages that are left out unless `requirements` names them.

    Returns:
        Sorted lines such as `pandas==3.0.0`.

    Raises:
        DeployError: When a line cannot be parsed, or its package is not installed here.
    """
    named = [_parse(line) for line in requirements if _names_a_package(line)]
    queue = deque(need for need in named if canonicalize_name(need.name) not in excluded)
    direct: set[str] = {canonicalize_name(need.name) for need in queue}
    left_out = excluded | (optional - direct)
    pins: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    while queue:
        requirement = queue.popleft()
        name = canonicalize_name(requirement.name)
        if name in left_out or name.startswith(GPU_PREFIX) or not _applies(requirement, target):
            continue
        pins.setdefault(name, _pin(requirement, name, name in direct))
        for extra in ("", *sorted(requirement.extras)):
            if (name, extra) not in seen:
                seen.add((name, extra))
                queue.extend(_list_needs(name, extra, target))
    return sorted(pins.values())


def _names_a_package(line: str) -> bool:
    return bool(line.split("#")[0].strip()) and not line.lstrip().startswith("-")


def _parse(line: str) -> Requirement:
    try:
        return Requirement(line.split(" #")[0].strip())
    except InvalidRequirement as error:
        raise DeployError(f"The requirement '{line.strip()}' names no package.") from error


def _applies(requirement: Requirement, target: Target) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**target.markers, "extra": ""})


def _pin(requirement: Requirement, name: str, is_direct: bool) -> str:
    exact = [part.version for part in requirement.specifier if part.operator == "=="]
    if is_direct and len(exact) == 1:
        return f"{CPU_ONLY.get(name, name)}=={exact[0]}"
    try:
        return f"{CPU_ONLY.get(name, name)}=={importlib.metadata.version(name)}"
    except importlib.metadata.PackageNotFoundError as error:
        if not is_direct:  # needed for the target only
            return f"{name}{requirement.specifier}"
        raise DeployError(f"The image needs {requirement}, which is not installed here; install it.") from error


def _list_needs(name: str, extra: str, target: Target) -> list[Requirement]:
    """List the dependencies of a package, or those of one extra."""
    try:
        lines = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    environment = {**target.markers, "extra": extra}
    needs = [need for need in map(Requirement, lines) if need.marker is None or need.marker.evaluate(environment)]
    for need in needs:
        need.marker = None
    return needs

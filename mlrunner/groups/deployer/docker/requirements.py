"""Which libraries a served model needs, each at one version: its own requirements, the server's, and all they need."""

from __future__ import annotations

import importlib.metadata
import platform
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from mlrunner.core.errors import DeployError

SERVER = ("aiohttp", "orjson", "prometheus-client")
NEVER = frozenset({"mlflow", "mlflow-skinny", "mlflow-tracing", "zenml"})
OPTIONAL = frozenset({"graphviz", "matplotlib", "plotly", "pyarrow"})  # a booster draws with these; a server does not
ACCELERATED = "nvidia-"
SLIM = {"xgboost": "xgboost-cpu"}  # the same package without the code for graphics cards


@dataclass(frozen=True)
class Target:
    """The Python that will import the libraries.

    Args:
        version: Like `3.11.7`.
        machine: Like `x86_64`.
        glibc: Major and minor version of the C library.
    """

    version: str
    machine: str
    glibc: tuple[int, int]

    @property
    def minor(self) -> str:
        """The version without its last part: what compiled files and wheels depend on."""
        return ".".join(self.version.split(".")[:2])

    @property
    def markers(self) -> dict[str, str]:
        """What the markers of requirements ask for."""
        named = {"python_version": self.minor, "python_full_version": self.version, "platform_machine": self.machine}
        linux = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
        return {**{name: str(value) for name, value in default_environment().items()}, **named, **linux}


def here() -> Target:
    """The Python that runs here, as if on Linux; what a base image's must equal but for the last part."""
    return Target(platform.python_version(), platform.machine(), (2, 28))


def closure(requirements: Iterable[str], target: Target) -> list[str]:
    """Pin everything that a model's requirements and the server need, as installed here.

    Args:
        requirements: Lines as in a requirements file; a version in one wins over the installed one.
        target: Where they will be imported.

    Returns:
        Sorted lines like `pandas==3.0.0`.

    Raises:
        DeployError: When a line cannot be read, or names what is not installed here.
    """
    own = [_read(line) for line in requirements if _names_a_package(line)]
    waiting = deque(found for found in [*own, *map(Requirement, SERVER)] if canonicalize_name(found.name) not in NEVER)
    firsts: set[str] = {canonicalize_name(found.name) for found in waiting}
    pins: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    while waiting:
        wanted = waiting.popleft()
        name = canonicalize_name(wanted.name)
        if _left_out(name, firsts) or not _applies(wanted, target):
            continue
        pins.setdefault(name, _pin(wanted, name, name in firsts))
        for extra in ("", *sorted(wanted.extras)):
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting.extend(_needs(name, extra, target))
    return sorted(pins.values())


def _names_a_package(line: str) -> bool:
    return bool(line.split("#")[0].strip()) and not line.lstrip().startswith("-")


def _read(line: str) -> Requirement:
    try:
        return Requirement(line.split(" #")[0].strip())
    except InvalidRequirement as error:
        raise DeployError(f"The model's requirements.txt holds '{line.strip()}', which names no package.") from error


def _left_out(name: str, firsts: set[str]) -> bool:
    return name in NEVER or name.startswith(ACCELERATED) or (name in OPTIONAL and name not in firsts)


def _applies(wanted: Requirement, target: Target) -> bool:
    return wanted.marker is None or wanted.marker.evaluate({**target.markers, "extra": ""})


def _pin(wanted: Requirement, name: str, is_first: bool) -> str:
    exact = [part.version for part in wanted.specifier if part.operator == "=="]
    if is_first and len(exact) == 1:
        return f"{SLIM.get(name, name)}=={exact[0]}"
    try:
        return f"{SLIM.get(name, name)}=={importlib.metadata.version(name)}"
    except importlib.metadata.PackageNotFoundError as error:
        if not is_first:  # needed there and not here, where the system or the last part of Python's version differs
            return f"{name}{wanted.specifier}"
        raise DeployError(f"The model needs {wanted}, which is not installed here; install it.") from error


def _needs(name: str, extra: str, target: Target) -> list[Requirement]:
    """List what a package needs by itself, or, with an extra, for that extra."""
    try:
        lines = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    found = [Requirement(line) for line in lines]
    applies = [one for one in found if one.marker is None or one.marker.evaluate({**target.markers, "extra": extra})]
    for one in applies:
        one.marker = None
    return applies

"""Where a gateway sends requests: the server that the `state.json` of its deployment names."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

STATE_FILE = "state.json"
Fingerprint = tuple[int, int, int]


@dataclass(frozen=True)
class Route:
    """Where requests go, as the state file says.

    Args:
        url: Of the server.
        version: That it serves.
        timeout: Seconds that a request may take.
        restart: The command that mends the deployment.
    """

    url: str
    version: int
    timeout: float
    restart: tuple[str, ...]


def read_fingerprint(file: Path) -> Fingerprint:
    """Tell one writing of a state file from the next, which may come within a tick of its clock."""
    found = file.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size


def read_route(file: Path) -> Route:
    """Read a state file.

    Raises:
        OSError: When it is not there.
        ValueError: When it is no JSON.
        LookupError: When it lacks something.
        TypeError: When nothing serves.
    """
    told = json.loads(file.read_text())
    serves = told["serves"]
    return Route(serves["url"], serves["version"], float(told["timeout"]), tuple(told["restart"]))

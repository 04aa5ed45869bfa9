"""Route of a gateway: the server that the `state.json` of its deployment names."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STATE_FILE = "state.json"
Fingerprint = tuple[int, int, int]


@dataclass(frozen=True)
class Route:
    """Hold the target of requests.

    Args:
        url: Address of the server.
        token: Token by which the server proves that it is the deployment's own.
        version: Version that it serves.
        timeout: Maximum seconds of a request.
        restart: Command that restarts the server.
    """

    url: str
    token: str
    version: int
    timeout: float
    restart: tuple[str, ...]


def read_fingerprint(file: Path) -> Fingerprint:
    """Return time, inode and size of a state file; the time alone may not change between two writes."""
    status = file.stat()
    return status.st_mtime_ns, status.st_ino, status.st_size


def write_state(file: Path, state: dict[str, Any]) -> None:
    """Replace a state file atomically: a reader sees the old one or the new one."""
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.write_text(json.dumps(state, indent=1))
    partial.replace(file)


def read_route(file: Path) -> Route:
    """Read a state file.

    Raises:
        OSError: If it does not exist.
        ValueError: If it is not JSON.
        LookupError: If a key is missing.
        TypeError: If no server is running.
    """
    state = json.loads(file.read_text())
    server = state["active"]
    return Route(server["url"], server["token"], server["version"], float(state["timeout"]), tuple(state["restart"]))

"""The folder of a deployment: what serves now, what has served, and the lock that serialises those who change it.

`state.json` is also what the gateway follows, `history.jsonl` holds a line for every decision.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mlrunner.core.errors import ConfigError, DeployError, nearest
from mlrunner.groups.deployer.release import Release, Server

STATE, HISTORY = "state.json", "history.jsonl"
PATIENCE = 600.0  # seconds that a deployment waits for the one before it


@dataclass(frozen=True)
class State:
    """What serves now.

    Args:
        name: Of the deployment.
        host: And
        port: are the stable address.
        timeout: Seconds that a request may take.
        body_limit: Megabytes of a request's body.
        settings: Of the deployer, with its `_target_`: whoever stops, restarts or rolls back builds it again.
        restart: The command that mends it.
        line: The versions that have served, oldest first; the last one serves. A rollback shortens it.
        serves: The server that requests go to; None when the deployment is stopped.
        ready: The one before it, which is kept for a rollback.
        since: When the present version began to serve, in seconds since 1970.
    """

    name: str
    host: str
    port: int
    timeout: float
    body_limit: float
    settings: dict[str, Any]
    restart: list[str] = field(default_factory=list)
    line: list[int] = field(default_factory=list)
    serves: Server | None = None
    ready: Server | None = None
    since: float = 0.0

    @property
    def url(self) -> str:
        """The stable address."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)
        return f"http://{host}:{self.port}"

    @property
    def servers(self) -> list[Server]:
        """All that run."""
        return [server for server in (self.serves, self.ready) if server is not None]

    def server_of(self, version: int) -> Server | None:
        """The server of a version, if one runs."""
        return next((server for server in self.servers if server.version == version), None)


class Ledger:
    """Reads and writes the folder of one deployment.

    Args:
        folder: `.mlrunner/deployments/NAME`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def name(self) -> str:
        """Of the deployment."""
        return self.folder.name

    def state(self) -> State | None:
        """Read what serves; None before the first deployment."""
        try:
            told = json.loads((self.folder / STATE).read_text())
        except FileNotFoundError:
            return None
        servers = {key: None if told[key] is None else Server(**told[key]) for key in ("serves", "ready")}
        return State(**{**told, **servers})

    def write(self, state: State) -> None:
        """Replace the state, so that a reader sees the old one or the new one."""
        partial = self.folder / f".{STATE}.{os.getpid()}"
        partial.write_text(json.dumps(asdict(state), indent=1))
        partial.replace(self.folder / STATE)

    def forget(self) -> None:
        """Remove the state of a deployment that has never served."""
        (self.folder / STATE).unlink(missing_ok=True)

    def note(self, event: str, **told: Any) -> None:
        """Add a line to the history."""
        self.folder.mkdir(parents=True, exist_ok=True)
        line = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "event": event, **told}
        with (self.folder / HISTORY).open("a") as file:
            file.write(json.dumps(line) + "\n")

    def history(self) -> list[dict[str, Any]]:
        """Read the history, oldest first."""
        file = self.folder / HISTORY
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def made(self) -> dict[int, str]:
        """Find the run that each version was made of."""
        told = [line for line in self.history() if None not in (line.get("version"), line.get("run_id"))]
        return {int(line["version"]): str(line["run_id"]) for line in told}

    def release(self, version: int) -> Release:
        """The files of a version."""
        return Release(self.name, version, self.folder / "releases" / str(version))

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Wait for whoever is changing the deployment.

        Raises:
            DeployError: When that takes too long.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.folder / "lock", timeout=PATIENCE):
                yield
        except Timeout as error:
            raise DeployError(
                f"Another command has been changing deployment {self.name} for {PATIENCE:.0f} s; wait for it or end it."
            ) from error


def moved(state: State, server: Server, line: list[int]) -> State:
    """Let another server serve, and keep the one that served ready."""
    left = state.serves if state.serves is not None and state.serves.version != server.version else state.ready
    ready = None if left is None or left.version == server.version else left
    return replace(state, serves=server, ready=ready, line=line, since=time.time())


def ledgers(folder: Path) -> list[Ledger]:
    """Every deployment of a folder that has a history."""
    return [Ledger(file.parent) for file in sorted(folder.glob(f"*/{HISTORY}"))]


def find(folder: Path, name: str | None) -> Ledger:
    """Find a deployment by name; when none is named, the only one there is, or the only one that serves.

    Raises:
        ConfigError: When there is none of this name, or several and none is named.
    """
    known = {ledger.name: ledger for ledger in ledgers(folder)}
    if name is None:
        serving = [one for one in known.values() if (state := one.state()) is not None and state.serves is not None]
        for likely in (serving, list(known.values())):
            if len(likely) == 1:
                return likely[0]
    if name in known:
        return known[str(name)]
    told = ", ".join(known)
    if not known:
        raise ConfigError("There is no deployment yet; deploy a run with mlrunner deploy RUN.")
    if name is None:
        raise ConfigError(f"There are several deployments; name one of {told}.")
    raise ConfigError(f"'{name}' is no deployment; there are {told}.{nearest(name, known)}")

"""The folder of a deployment: the servers that run, the versions that have served, and a lock for changes.

The gateway reads `state.json`; `history.jsonl` has one line for each decision.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mlrunner.core.errors import ConfigError, DeployError, first_line, nearest
from mlrunner.groups.deployer.release import Release, Server
from mlrunner.serving import gateway_routes
from mlrunner.serving.gateway_routes import STATE_FILE

HISTORY_FILE = "history.jsonl"
LOCK_TIMEOUT = 600.0  # seconds that a deployment waits for the one before it


@dataclass(frozen=True)
class State:
    """The state of a deployment, as `state.json` holds it.

    Args:
        name: Name of the deployment.
        host: Address that the gateway listens on.
        port: Port that the gateway listens on.
        timeout: Seconds that a request may take.
        body_limit: Maximum size of a request body, in megabytes.
        settings: Settings of the deployer, with its `_target_`; commands rebuild the deployer from them.
        restart: Command line that restarts the deployment.
        versions: Versions that have served, oldest first; the last one is the present one. A rollback shortens it.
        active: Server that receives the requests; None when the deployment is stopped.
        ready: Previous server, kept running for a rollback; None without a previous version.
        unwanted: Tokens of servers that an unfinished change has started or replaced; see `recovery`.
        since: Time when the present version began to serve, in seconds since 1970.
    """

    name: str
    host: str
    port: int
    timeout: float
    body_limit: float
    settings: dict[str, Any]
    restart: list[str] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    active: Server | None = None
    ready: Server | None = None
    unwanted: list[str] = field(default_factory=list)
    since: float = 0.0

    @property
    def url(self) -> str:
        """URL of the gateway as seen from this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)
        return f"http://{host}:{self.port}"

    @property
    def servers(self) -> list[Server]:
        """All running servers."""
        return [server for server in (self.active, self.ready) if server is not None]

    def find_server(self, version: int) -> Server | None:
        """Find the running server of a version."""
        return next((server for server in self.servers if server.version == version), None)


class DeploymentStore:
    """Reads and writes the folder of one deployment.

    Args:
        folder: Folder `.mlrunner/deployments/NAME`; created on the first write.
        lock_timeout: Seconds to wait for another command that changes it.
    """

    def __init__(self, folder: Path, lock_timeout: float = LOCK_TIMEOUT) -> None:
        self.folder = folder
        self._lock_timeout = lock_timeout

    @property
    def name(self) -> str:
        """Name of the deployment."""
        return self.folder.name

    def read_state(self) -> State | None:
        """Read the state; None before the first deployment.

        Raises:
            DeployError: If another version of mlrunner wrote it.
        """
        try:
            fields = json.loads((file := self.folder / STATE_FILE).read_text())
            return State(**fields | {key: fields[key] and Server(**fields[key]) for key in ("active", "ready")})
        except FileNotFoundError:
            return None
        except (KeyError, TypeError, ValueError) as error:
            raise DeployError(
                f"{file} is not a state of this version of mlrunner ({first_line(error)}); delete the file and deploy "
                f"again: mlrunner deploy RUN deployer.name={self.name}."
            ) from error

    def write_state(self, state: State | None) -> None:
        """Replace the state atomically: a reader sees the old one or the new one; None deletes it."""
        if state is None:
            (self.folder / STATE_FILE).unlink(missing_ok=True)
        else:
            gateway_routes.write_state(self.folder / STATE_FILE, asdict(state))

    def log_event(self, event: str, **details: Any) -> None:
        """Append an event, such as `deployed` or `rolled back`, to the history, with details that JSON can hold."""
        self.folder.mkdir(parents=True, exist_ok=True)
        entry = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "event": event, **details}
        with (self.folder / HISTORY_FILE).open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def read_history(self) -> list[dict[str, Any]]:
        """Read all events, oldest first."""
        file = self.folder / HISTORY_FILE
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def read_run_ids(self) -> dict[int, str]:
        """Read from the history which run made each version."""
        events = (event for event in self.read_history() if None not in (event.get("version"), event.get("run_id")))
        return {int(event["version"]): str(event["run_id"]) for event in events}

    def get_release(self, version: int) -> Release:
        """Return the release of a version, whether its files exist or not."""
        return Release(self.name, version, self.folder / "releases" / str(version))

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the lock of the deployment within a block.

        Raises:
            DeployError: When another command holds it for longer than `lock_timeout`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.folder / "lock", timeout=self._lock_timeout):
                yield
        except Timeout as error:
            raise DeployError(
                f"Another command has been changing deployment {self.name} for {self._lock_timeout:.0f} s; "
                "wait for it or end it."
            ) from error


def replace_server(state: State, server: Server, versions: list[int]) -> State:
    """Make another server the active one, and keep the previous one ready.

    Args:
        state: Present state.
        server: Server that becomes active.
        versions: Versions that have then served, ending with this server's.
    """
    is_new = state.active is not None and state.active.version != server.version
    previous = state.active if is_new else state.ready
    ready = previous if previous is not None and previous.version != server.version else None
    after = replace(state, active=server, ready=ready, versions=versions, since=time.time())
    return replace(after, unwanted=[old.token for old in state.servers if old not in after.servers])


def list_deployments(folder: Path) -> list[DeploymentStore]:
    """List the deployments of a folder that have a state or a history, by name."""
    files = [*folder.glob(f"*/{STATE_FILE}"), *folder.glob(f"*/{HISTORY_FILE}")]
    return [DeploymentStore(path) for path in sorted({file.parent for file in files})]


def find_deployment(folder: Path, name: str | None) -> DeploymentStore:
    """Find a deployment by name.

    Args:
        folder: Folder that holds a folder for each deployment.
        name: Name of the deployment; None takes the only one, or the only one that serves.

    Raises:
        ConfigError: When no deployment has this name, or several exist and none is named.
    """
    stores = {store.name: store for store in list_deployments(folder)}
    if name is None:
        serving = [store for store in stores.values() if (state := store.read_state()) and state.active]
        for candidates in (serving, list(stores.values())):
            if len(candidates) == 1:
                return candidates[0]
    if name in stores:
        return stores[str(name)]
    names = ", ".join(stores)
    if not stores:
        raise ConfigError("There is no deployment yet; deploy a run with mlrunner deploy RUN.")
    if name is None:
        raise ConfigError(f"There are several deployments; name one of {names}.")
    raise ConfigError(f"There is no deployment '{name}'; available: {names}.{nearest(name, stores)}")

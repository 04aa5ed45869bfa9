"""The files of a deployed model version, the server that runs on them, and what starts and stops servers."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlrunner.serving import identity

MODEL_FOLDER, RELEASE_FILE = "model", "release.json"


@dataclass(frozen=True)
class Release:
    """A model version on this disk; a copy, so that pruning or moving the store does not stop a server.

    Args:
        name: Name of the deployment.
        version: Version of the registered model, from 1.
        folder: Folder with `model/`, as MLflow saved it, and `release.json` with `facts`, `expected` and `saved`.
    """

    name: str
    version: int
    folder: Path

    @property
    def model(self) -> Path:
        """Folder that MLflow saved: `MLmodel`, `model.skops`, `requirements.txt`, `code/` and the input example."""
        return self.folder / MODEL_FOLDER

    @property
    def facts(self) -> dict[str, Any]:
        """Facts that `/version` shows: name, version, run, metrics, gate and time of registration."""
        return dict(self._description["facts"])

    @property
    def expected(self) -> list[Any]:
        """Predictions of the model in memory for its input example."""
        return list(self._description["expected"])

    @property
    def reading(self) -> dict[str, Any]:
        """Options of `pandas.read_csv` that tell how the training table was read."""
        return dict(self._description["saved"].get("reading", {}))

    @property
    def example(self) -> bytes:
        """Input example as the body of a request."""
        return (self.model / "serving_input_example.json").read_bytes()

    @property
    def _description(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / RELEASE_FILE).read_text()))


@dataclass(frozen=True)
class Server:
    """A running model server.

    Args:
        version: Version of the release that it serves.
        url: Address `http://127.0.0.1:PORT`, to which the gateway forwards.
        handle: Identifier that the deployer gave it: a ZenML service or a container.
        token: Secret by which it proves that it is this server; see `mlrunner.serving.identity`.
        pid: Process number; 0 when the handle is enough.
        pid_file: File of the process number; empty when the handle is enough.
        launch: Command line that starts the server again, without `--port` and `--instance`.
    """

    version: int
    url: str
    handle: str
    token: str
    pid: int = 0
    pid_file: str = ""
    launch: list[str] = field(default_factory=list)

    @property
    def instance(self) -> str:
        """Public name that its command line and `/version` show."""
        return identity.instance_name(self.token)


class ServerBackend(ABC):
    """The part of a deployer that starts and stops servers, for `mlrunner.groups.deployer.rollout`."""

    start_timeout: float  # seconds until a server must answer

    @abstractmethod
    def start(self, release: Release, token: str) -> Server:
        """Start a server on a release, without waiting until it answers.

        Args:
            release: Release to serve.
            token: Secret that the server must know.

        Raises:
            DeployError: When the server cannot be started.
        """

    @abstractmethod
    def is_alive(self, server: Server) -> bool:
        """Check whether the server's process or container exists."""

    @abstractmethod
    def stop(self, server: Server) -> None:
        """Stop a server and free its resources; a server that has ended already is fine."""

    @abstractmethod
    def discard(self, token: str) -> None:
        """Stop the server with a token and free its resources, whether its start was recorded or not."""

    @abstractmethod
    def log(self, server: Server) -> str:
        """Read the last lines that the server printed."""

    @abstractmethod
    def restart_command(self, folder: Path) -> list[str]:
        """Return the command that replaces a server that has ended or hangs, for the gateway.

        Args:
            folder: Folder of the deployment.
        """

    @abstractmethod
    def state_settings(self) -> dict[str, Any]:
        """Return the fields of `State` that these settings determine."""

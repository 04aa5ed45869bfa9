"""The files of a deployed model version, and the server that runs on them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
        token: Random word that its `/version` shows as `instance`, to identify the server on its port.
        pid: Process number; 0 when the handle is enough.
    """

    version: int
    url: str
    handle: str
    token: str
    pid: int = 0

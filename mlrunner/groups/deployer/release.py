"""A version of a model as files of this disk, and the server that was started on it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODEL, DESCRIBED = "model", "release.json"


@dataclass(frozen=True)
class Release:
    """A version of a model, copied out of the store so that pruning or moving the store does not stop a server.

    Args:
        name: Of the deployment.
        version: Of the registered model, from 1.
        folder: Holds `model/`, as MLflow saved it, and `release.json`: `facts`, `expected` and how it is loaded.
    """

    name: str
    version: int
    folder: Path

    @property
    def model(self) -> Path:
        """The folder that MLflow saved: `MLmodel`, `model.skops`, `requirements.txt`, `code/`, the input example."""
        return self.folder / MODEL

    @property
    def facts(self) -> dict[str, Any]:
        """What `/version` tells: name, version, run, metrics, gate, when it was registered."""
        found: dict[str, Any] = self._described["facts"]
        return found

    @property
    def expected(self) -> list[Any]:
        """What the model itself predicts for its input example."""
        found: list[Any] = self._described["expected"]
        return found

    @property
    def example(self) -> bytes:
        """The input example, as a request's body."""
        return (self.model / "serving_input_example.json").read_bytes()

    @property
    def _described(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / DESCRIBED).read_text())
        return found


@dataclass(frozen=True)
class Server:
    """A server that was started on a release.

    Args:
        version: Of the release.
        url: `http://127.0.0.1:PORT`; the gateway forwards there.
        handle: What its starter calls it: ZenML's service, or a container.
        pid: Of its process; 0 where the handle says it all.
        token: What its `/version` answers as `instance`, to be sure that nobody else answers on its port.
    """

    version: int
    url: str
    handle: str
    token: str
    pid: int = 0

"""The engine of the tests of images."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.docker_engine import client, repository

__all__ = ["client", "repository"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a home that holds the records of the images."""
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))

"""One engine client, one release and one built image for all tests of Docker images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlrunner.groups.deployer.docker import image
from mlrunner.groups.deployer.release import Release
from tests.support.docker_engine import client, repository
from tests.support.released import BASE, SECRET, release

__all__ = ["client", "repository"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a home that holds the records of the images."""
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Save a model as a release."""
    from xgboost import XGBRegressor

    return release(tmp_path_factory.mktemp("releases"), XGBRegressor(n_estimators=5))


@pytest.fixture(scope="session")
def tag(client: Any, released: Release, repository: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build the image of the release, in an environment that holds a secret."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLRUNNER_TOKEN", SECRET)
        patch.setenv("MLRUNNER_HOME", str(tmp_path_factory.mktemp("home")))
        return image.ensure_image(client, released, BASE, repository)

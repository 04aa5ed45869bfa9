"""One engine client, one release and one built image for all tests of Docker images."""

from __future__ import annotations

from typing import Any

import pytest

from mlrunner.groups.deployer.docker import image
from mlrunner.groups.deployer.release import Release
from tests.support.docker_engine import client, repository
from tests.support.released import BASE, SECRET, release

__all__ = ["client", "repository"]


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Save a model as a release."""
    from xgboost import XGBRegressor

    return release(tmp_path_factory.mktemp("releases"), XGBRegressor(n_estimators=5))


@pytest.fixture(scope="session")
def tag(client: Any, released: Release, repository: str) -> str:
    """Build the image of the release, in an environment that holds a secret."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLRUNNER_TOKEN", SECRET)
        return image.ensure_image(client, released, BASE, repository)

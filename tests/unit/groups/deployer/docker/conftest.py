"""One engine client, one release and one built image for all tests of Docker images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mlrunner.groups.deployer.docker import image
from mlrunner.groups.deployer.release import Release
from tests.support.released import BASE, REPOSITORY, SECRET, docker_client, release, remove


@pytest.fixture(scope="session")
def repository() -> str:
    """Return the repository of the built images."""
    return REPOSITORY


@pytest.fixture(scope="session")
def client(repository: str) -> Iterator[Any]:
    """Open a client of Docker's engine, and remove the built images at the end."""
    opened = docker_client()
    yield opened
    remove(opened, repository)
    opened.close()


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

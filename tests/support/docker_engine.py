"""Fixtures: a client of Docker's engine, and the repository of the images that a test process builds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.released import REPOSITORY, docker_client, remove


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

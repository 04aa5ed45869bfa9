"""Releases and a backend that the tests of serving share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import serving_release as releases
from tests.support.gateways import Backend
from tests.support.http_client import serve
from tests.support.serving_release import Saved


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("releases")


@pytest.fixture(scope="session")
def saved(base: Path) -> Saved:
    return releases.save_regression(base, 1)  # the cache knows positional arguments only


@pytest.fixture(scope="module")
def backend() -> Iterator[tuple[Backend, int]]:
    server = Backend()
    with serve(server.application) as port:
        yield server, port
        server.free.set()

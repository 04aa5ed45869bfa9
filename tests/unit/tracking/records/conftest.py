"""Stores that the tests of this package only read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from tests.support.mlflow_home import open_copy
from tests.support.run_stores import SearchableRuns


@pytest.fixture(scope="session")
def searchable_runs(tmp_path_factory: pytest.TempPathFactory, template: Path) -> SearchableRuns:
    """Make the store once; the files of this package do not follow each other in a worker of pytest-xdist."""
    home = tmp_path_factory.mktemp("records")
    with open_copy(template, home):
        return SearchableRuns(home)


@pytest.fixture(scope="package")
def runs(searchable_runs: SearchableRuns) -> Iterator[SearchableRuns]:
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(searchable_runs.client.tracking_uri)
    yield searchable_runs
    mlflow.set_tracking_uri(before)

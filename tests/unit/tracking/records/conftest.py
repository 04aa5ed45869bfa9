"""Stores that the tests of this package only read."""

from __future__ import annotations

from collections.abc import Iterator

import mlflow
import pytest

from tests.support.run_stores import SearchableRuns


@pytest.fixture(scope="package")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchableRuns]:
    before = mlflow.get_tracking_uri()
    yield SearchableRuns(tmp_path_factory.mktemp("records"))
    mlflow.set_tracking_uri(before)

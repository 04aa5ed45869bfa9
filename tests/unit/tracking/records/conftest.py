"""Stores that the tests of this package only read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.mlflow_home import open_copy
from tests.support.run_stores import SearchableRuns


@pytest.fixture(scope="package")
def runs(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[SearchableRuns]:
    home = tmp_path_factory.mktemp("records")
    with open_copy(template, home):
        yield SearchableRuns(home)

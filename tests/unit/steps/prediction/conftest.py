"""A stopped deployment with a release, which tests only read."""

from __future__ import annotations

from pathlib import Path

import pytest
from sklearn.linear_model import LinearRegression

from mlrunner.groups.deployer.state import Ledger, State
from tests.support import released


@pytest.fixture(scope="package")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of deployments: one that is stopped, with a release of a linear regression."""
    folder = tmp_path_factory.mktemp("deployments") / "tests"
    folder.mkdir()
    ledger = Ledger(folder)
    released.release(folder / "releases", LinearRegression(), version=3)
    ledger.note("deployed", version=3)
    state = State("tests", "127.0.0.1", 1, 5.0, 64.0, {"unknown_categories": "refuse"}, line=[3])
    ledger.write(state)
    return folder.parent

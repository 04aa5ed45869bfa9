"""A stopped deployment with a release, which tests only read."""

from __future__ import annotations

from pathlib import Path

import pytest
from sklearn.linear_model import LinearRegression

from mlrunner.groups.deployer.state import DeploymentStore, State
from tests.support import released


@pytest.fixture(scope="package")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of deployments: one that is stopped, with a release of a linear regression."""
    folder = tmp_path_factory.mktemp("deployments") / "tests"
    folder.mkdir()
    store = DeploymentStore(folder)
    released.release(folder / "releases", LinearRegression(), version=3)
    store.log_event("deployed", version=3)
    state = State("tests", "127.0.0.1", 1, 5.0, 64.0, {"unknown_categories": "refuse"}, versions=[3])
    store.write_state(state)
    return folder.parent

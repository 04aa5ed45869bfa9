"""Fixtures that the tests of searches share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hydra.core.utils import setup_globals

from tests.support.search import HydraSweep, open_hydra
from tests.support.search_session import planned as planned
from tests.support.search_session import session as session
from tests.support.sweeps import close_all


@pytest.fixture(scope="module")
def diabetes_sweep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HydraSweep]:
    """Hydra at the start of a sweep on the diabetes data, in a home of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLRUNNER_HOME", str(tmp_path_factory.mktemp("home")))
        setup_globals()
        yield open_hydra("sweep=optuna", "dataset=diabetes")


@pytest.fixture(autouse=True)
def _close_studies() -> Iterator[None]:
    yield
    close_all()

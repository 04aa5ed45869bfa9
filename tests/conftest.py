"""What the tests share: a home of their own, the front door, the real tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from omegaconf import DictConfig

from tests.support.front_door import SHARED, Runner, exported, front_door


@pytest.fixture(scope="session")
def session_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One pair of stores, already made, for the tests that only add runs to it."""
    home = tmp_path_factory.mktemp("home")
    exported(home)
    return home


@pytest.fixture(scope="session")
def mlrunner(session_home: Path) -> Runner:
    """The front door over the shared stores."""
    return lambda *arguments, **options: front_door(session_home, *arguments, **options)


@pytest.fixture
def compose() -> Iterator[Callable[[list[str]], DictConfig]]:
    """Compose a config as Hydra would, without running it."""
    from hydra import compose

    from mlrunner.composition.compose import open_hydra

    with open_hydra():
        yield lambda overrides: compose("config", overrides)


@pytest.fixture(params=["olist_customers_dataset", "california_housing"])
def shared_table(request: pytest.FixtureRequest) -> Path:
    """One of the real tables, which are not part of the project."""
    path = SHARED / f"{request.param}.csv"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


from tests.support.mlflow_home import mlflow_home as mlflow_home  # noqa: E402 - it needs what stands above
from tests.support.mlflow_home import template as template  # noqa: E402
from tests.support.recorded import recorded as recorded  # noqa: E402 - it needs what stands above

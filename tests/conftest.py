"""Fixtures that the tests share: a home, the command line, real tables."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from omegaconf import DictConfig

from tests.support.front_door import SHARED, Runner, export_variables, front_door
from tests.support.slow_tests import is_slow

SLOW_FIXTURES = {"recorded", "session_home", "described"}  # start whole runs or create all stores
settings.register_profile("mlrunner", max_examples=40)  # of 100; a test that needs more says so
settings.load_profile("mlrunner")
gc.disable()  # until all tests are imported, which takes a tenth less time


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the tests of faults kill commands at more writes."""
    parser.addoption("--kill-points", default="2", help="writes at which test_faults kills each command; or 'all'")


def pytest_collection_finish() -> None:
    """Collect garbage from now on, but for what was imported."""
    gc.freeze()
    gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import files whose tests are all slow, when slow tests are left out."""
    return ("not slow" in config.option.markexpr and is_slow(collection_path)) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests as slow by what they need and by how long they took."""
    for item in items:
        if SLOW_FIXTURES & {*getattr(item, "fixturenames", ())} or is_slow(item.path, item.nodeid):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def session_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home whose stores exist, for tests that only add runs."""
    home = tmp_path_factory.mktemp("home")
    export_variables(home)
    return home


@pytest.fixture(scope="session")
def mlrunner(session_home: Path) -> Runner:
    """Run the command line on the shared stores."""
    return lambda *arguments, **options: front_door(session_home, *arguments, **options)


@pytest.fixture(scope="session")
def reading_hydra() -> Any:
    """Open Hydra on `conf/`; it reads each file once, which is a third of a composition's time."""
    from mlrunner.composition.compose import open_hydra
    from mlrunner.composition.hydra_private import read_files_once

    with open_hydra() as opened:
        read_files_once(opened.config_loader())
        return opened.hydra


@pytest.fixture
def compose(reading_hydra: Any) -> Iterator[Callable[[list[str]], DictConfig]]:
    """Compose a configuration as Hydra does."""
    from hydra import compose
    from hydra.core.global_hydra import GlobalHydra

    hydra = GlobalHydra.instance()
    before, hydra.hydra = hydra.hydra, reading_hydra
    yield lambda overrides: compose("mlrunner", overrides)
    hydra.hydra = before


@pytest.fixture(params=["olist_customers_dataset", "california_housing"])
def shared_table(request: pytest.FixtureRequest) -> Path:
    """Return the path of a real table that is not part of the project."""
    path = SHARED / f"{request.param}.csv"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


from tests.support.mlflow_home import mlflow_home as mlflow_home  # noqa: E402 - imports the fixtures' settings above
from tests.support.mlflow_home import template as template  # noqa: E402
from tests.support.recorded import recorded as recorded  # noqa: E402 - imports the fixtures' settings above

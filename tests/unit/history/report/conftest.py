"""Quiet Optuna, and the default home and store."""

from __future__ import annotations

from collections.abc import Iterator

import optuna
import pytest

from tests.support.front_door import PROJECT


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(before)


@pytest.fixture(autouse=True)
def _default_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in a project whose home and store are its own, and leave no other to the tests that follow."""
    for name, value in {
        "MLRUNNER_PROJECT": str(PROJECT),
        "MLRUNNER_HOME": str(PROJECT),
        "MLFLOW_TRACKING_URI": f"sqlite:///{PROJECT}/.mlrunner/mlflow.db",
    }.items():
        monkeypatch.setenv(name, value)

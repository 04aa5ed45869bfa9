"""The answer to `--version`."""

from __future__ import annotations

import importlib.metadata

from mlrunner import __version__
from mlrunner.cli.versions import describe


def test_the_frameworks_are_listed_on_request() -> None:
    assert describe(is_verbose=False) == f"mlrunner {__version__}"
    first, python, *frameworks = describe(is_verbose=True).splitlines()
    assert first == f"mlrunner {__version__}"
    assert python.startswith("python 3.")
    assert [line.split()[0] for line in frameworks] == ["hydra-core", "zenml", "mlflow", "optuna", "scikit-learn"]
    assert frameworks[3] == f"optuna {importlib.metadata.version('optuna')}"

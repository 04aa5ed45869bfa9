"""The package's API is loaded on first use, and modules that many commands import load no large library."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import mlrunner
from mlrunner import api
from tests.support.front_door import PROJECT

LIGHT = {  # in the order of their import, so that each is checked for what it adds
    "mlrunner": ["mlrunner.api", "hydra", "pandas", "pyarrow"],
    "mlrunner.core.arrow": ["mlflow", "zenml", "sklearn", "hydra", "optuna", "omegaconf", "xgboost"],
    "mlrunner.cli.commands.prune": ["mlflow", "zenml", "sklearn", "hydra", "optuna"],
    "mlrunner.cli.commands.ui": ["mlflow", "zenml", "sklearn", "hydra", "optuna"],
    "mlrunner.composition.checks": ["mlflow", "zenml"],
}
PROGRAM = """
import importlib, json, sys
for name, refused in json.loads(sys.argv[1]).items():
    module = importlib.import_module(name)
    dir(module)
    print(name, *(library for library in refused if library in sys.modules))
"""


def test_light_modules_import_no_large_library() -> None:
    command = [sys.executable, "-c", PROGRAM, json.dumps(LIGHT)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, check=True)
    assert done.stdout.splitlines() == list(LIGHT)


@pytest.mark.parametrize("name", mlrunner.API)
def test_a_function_of_the_api_is_loaded_on_first_use(name: str) -> None:
    assert name in dir(mlrunner)
    assert getattr(mlrunner, name) is getattr(api, name)


def test_the_error_of_the_api_is_caught_by_its_name() -> None:
    assert "MlrunnerError" in dir(mlrunner)
    with pytest.raises(mlrunner.MlrunnerError, match="not a single text"):
        mlrunner.run("model=rf")


def test_an_unknown_attribute_is_refused() -> None:
    with pytest.raises(AttributeError, match=r"^module 'mlrunner' has no attribute 'sweeps'$"):
        _ = mlrunner.sweeps

"""Commands that export the environment of the stores."""

from __future__ import annotations

import pytest

from mlrunner.cli.commands.env import write_exports
from mlrunner.groups.stack.mlflow_private import ARTIFACT_ROOT


def test_a_secret_is_exported_once_and_everything_is_quoted() -> None:
    opened = {"ZENML_CONFIG_PATH": "/a b", "ZENML_STORE_API_KEY": "k;rm", "MLFLOW_TRACKING_PASSWORD": "p", "HOME": "/"}
    assert write_exports({"MLFLOW_TRACKING_PASSWORD": "p"}, opened) == [
        "export ZENML_CONFIG_PATH='/a b'",
        "export ZENML_STORE_API_KEY='k;rm'",
    ]


@pytest.mark.parametrize(
    ("uri", "names"),
    [
        ("sqlite:////a/mlflow.db", ["MLFLOW_TRACKING_URI", "MLFLOW_BACKEND_STORE_URI"]),
        ("postgresql+psycopg2://h/d", ["MLFLOW_TRACKING_URI", "MLFLOW_BACKEND_STORE_URI"]),
        ("http://host:5000", ["MLFLOW_TRACKING_URI"]),
    ],
)
def test_mlflow_ui_opens_the_database_of_the_runs(uri: str, names: list[str]) -> None:
    assert write_exports({}, {"MLFLOW_TRACKING_URI": uri}) == [f"export {name}={uri}" for name in names]


def test_the_database_of_another_stack_is_unset() -> None:
    before = {"MLFLOW_BACKEND_STORE_URI": "sqlite:////a/mlflow.db", "MLFLOW_DEFAULT_ARTIFACT_ROOT": "file:///a"}
    assert write_exports(before, {**before, "MLFLOW_TRACKING_URI": "http://host:5000"}) == [
        "export MLFLOW_TRACKING_URI=http://host:5000",
        "unset MLFLOW_BACKEND_STORE_URI",
        "unset MLFLOW_DEFAULT_ARTIFACT_ROOT",
    ]


def test_files_of_new_experiments_stay_in_the_home() -> None:
    opened = {"MLFLOW_TRACKING_URI": "sqlite:////a/mlflow.db", ARTIFACT_ROOT: "file:///a/artifacts"}
    assert write_exports({}, opened)[-2:] == [
        f"export {ARTIFACT_ROOT}=file:///a/artifacts",
        "export MLFLOW_DEFAULT_ARTIFACT_ROOT=file:///a/artifacts",
    ]

"""Commands that export the environment of the stores."""

from __future__ import annotations

import pytest

from mlrunner.cli.commands.env import write_exports


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

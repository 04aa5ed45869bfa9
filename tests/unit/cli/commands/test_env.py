"""Commands that export the environment of the stores."""

from __future__ import annotations

from mlrunner.cli.commands.env import write_exports


def test_a_secret_is_exported_once_and_everything_is_quoted() -> None:
    opened = {"ZENML_CONFIG_PATH": "/a b", "ZENML_STORE_API_KEY": "k;rm", "MLFLOW_TRACKING_PASSWORD": "p", "HOME": "/"}
    assert write_exports({"MLFLOW_TRACKING_PASSWORD": "p"}, opened) == [
        "export ZENML_CONFIG_PATH='/a b'",
        "export ZENML_STORE_API_KEY='k;rm'",
    ]

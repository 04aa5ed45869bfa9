"""Settings of ZenML's MLflow tracker, from the environment."""

from __future__ import annotations

import pytest

from mlrunner.groups.stack import components


@pytest.fixture(autouse=True)
def no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in components.LOGIN_SETTINGS:
        monkeypatch.delenv(f"MLFLOW_TRACKING_{name.upper()}", raising=False)


@pytest.mark.parametrize(
    ("variables", "secret"),
    [
        ({}, {"token": "anonymous"}),
        ({"TOKEN": "t"}, {"token": "t"}),
        ({"USERNAME": "u", "PASSWORD": "p"}, {"username": "u", "password": "p"}),
        ({"USERNAME": "u", "PASSWORD": "p", "TOKEN": "t"}, {"username": "u", "password": "p"}),
        ({"USERNAME": "u", "TOKEN": "t"}, {"token": "t"}),
    ],
    ids=["open server", "token", "user", "user before token", "user without password"],
)
def test_zenml_gets_exactly_one_login(
    variables: dict[str, str], secret: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", value)
    assert components._login_secret() == secret

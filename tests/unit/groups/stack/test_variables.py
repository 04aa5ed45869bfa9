"""Variables that every stack sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.groups.stack.variables import QUIET_LOGGING, VERBOSE_LOGGING, embedded_zenml_environment


@pytest.mark.parametrize("variable", ["ZENML_STORE_URL", "ZENML_CONFIG_PATH"])
def test_settings_of_the_user_win(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ZENML_STORE_URL", "ZENML_CONFIG_PATH"):
        monkeypatch.delenv(name, raising=False)
    assert embedded_zenml_environment(Path("/home")) == {"ZENML_CONFIG_PATH": "/home/.mlrunner/zenml"}
    monkeypatch.setenv(variable, "mine")
    assert embedded_zenml_environment(Path("/home")) == {}


def test_verbose_logging_changes_the_levels_of_quiet_logging() -> None:
    assert set(VERBOSE_LOGGING) <= set(QUIET_LOGGING)
    assert all(VERBOSE_LOGGING[name] != QUIET_LOGGING[name] for name in VERBOSE_LOGGING)

"""Ages and statuses of the command line."""

from __future__ import annotations

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.history.pruning.criteria import DAY, parse_age, parse_statuses


@pytest.mark.parametrize(("text", "days"), [("30d", 30), ("12h", 0.5), ("2W", 14), ("0.5d", 0.5), ("0h", 0)])
def test_ages(text: str, days: float) -> None:
    assert parse_age(text) == days * DAY


@pytest.mark.parametrize("text", ["", "30", "d", "-3d", "3 days", "3m", "1d2h"])
def test_invalid_ages(text: str) -> None:
    with pytest.raises(ConfigError, match="is not an age; give hours, days or weeks"):
        parse_age(text)


def test_statuses() -> None:
    assert parse_statuses("failed, Killed") == ("FAILED", "KILLED")
    with pytest.raises(ConfigError, match=r"'killd' is not an MLflow status; .* Did you mean 'killed'"):
        parse_statuses("failed,killd")
    with pytest.raises(ConfigError, match="--status is empty"):
        parse_statuses(" ,")

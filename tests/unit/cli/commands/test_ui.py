"""`mlrunner ui`: what it refuses before a server starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.cli.commands import ui
from mlrunner.core.errors import ConfigError


def test_one_page_is_opened_at_a_time() -> None:
    with pytest.raises(ConfigError, match=r"^mlrunner ui opens one page, but latest, best were named; name one"):
        ui.main(["latest", "best"])


def test_a_port_is_a_number() -> None:
    with pytest.raises(ConfigError, match=r"^--port=x cannot be used \(it is not a number\); choose another"):
        ui.main(["--port", "x"])


def test_a_home_without_runs_has_no_page(empty_home: Path) -> None:
    with pytest.raises(ConfigError, match=r"^There is nothing to show yet: sqlite:.* does not exist; start a run"):
        ui.main(["--no-browser"])
    assert list(empty_home.iterdir()) == []

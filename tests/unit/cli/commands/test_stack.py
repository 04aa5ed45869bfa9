"""`mlrunner stack`: what it refuses."""

from __future__ import annotations

import pytest

from mlrunner.cli.commands import stack
from mlrunner.core.errors import ConfigError


def test_describe_is_the_only_action() -> None:
    with pytest.raises(ConfigError, match=r"^argument action: invalid choice: 'list' \(choose from"):
        stack.main(["list"])

"""`mlrunner rollback`: what it refuses."""

from __future__ import annotations

import pytest

from mlrunner.cli.commands import rollback
from mlrunner.core.errors import ConfigError


@pytest.mark.parametrize("steps", ["0", "-1", "two"])
def test_the_number_of_versions_is_at_least_one(steps: str) -> None:
    with pytest.raises(ConfigError, match=r"is not a number of versions; write 1 or more|takes no"):
        rollback.main([steps])


@pytest.mark.usefixtures("empty_home")
def test_without_deployments_nothing_is_rolled_back() -> None:
    with pytest.raises(ConfigError):
        rollback.main([])

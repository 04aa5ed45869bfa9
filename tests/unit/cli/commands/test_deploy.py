"""`mlrunner deploy`: what it refuses before anything is composed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.cli.commands import deploy
from mlrunner.core.errors import ConfigError
from tests.support.cli_home import CliHome


@pytest.mark.parametrize("arguments", [[], ["gate=threshold"], ["+deployer.port=8000", "--json"], ["stack@x=local"]])
def test_a_run_is_required(arguments: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"^mlrunner deploy needs a run: "):
        deploy.main(arguments)


def test_the_name_of_a_run_may_look_like_an_override() -> None:
    assert deploy.OVERRIDE.match("model=ridge") is None
    assert deploy.OVERRIDE.match("+gate.threshold=1") is not None


def test_a_restart_needs_a_known_deployment(cli_home: CliHome) -> None:
    assert deploy.deployments_folder() == cli_home.path / ".mlrunner" / "deployments"
    with pytest.raises(ConfigError, match=r"There is no deployment 'olst'; .* Did you mean 'olist'\?"):
        deploy.main(["--restart", "olst"])


def test_without_deployments_nothing_can_be_restarted(empty_home: Path) -> None:
    with pytest.raises(ConfigError):
        deploy.main(["--restart"])
    assert list(empty_home.iterdir()) == []

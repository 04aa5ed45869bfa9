"""`mlrunner stop` of a deployment that does not run."""

from __future__ import annotations

import pytest

from mlrunner.cli.commands import deploy, stop
from mlrunner.core.errors import ConfigError
from tests.support.playground import write_deployment

pytestmark = pytest.mark.usefixtures("empty_home")


def test_a_stopped_deployment_may_be_stopped_again(capsys: pytest.CaptureFixture[str]) -> None:
    write_deployment(deploy.deployments_folder(), 1, is_stopped=True)
    assert stop.main([]) == 0
    assert capsys.readouterr().out == "houses was not running; mlrunner deploy --restart houses starts it again.\n"


def test_an_unknown_deployment_is_refused() -> None:
    write_deployment(deploy.deployments_folder(), 1, is_stopped=True)
    with pytest.raises(ConfigError, match=r"Did you mean 'houses'\?"):
        stop.main(["house"])

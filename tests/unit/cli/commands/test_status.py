"""`mlrunner status` of a stopped deployment, of one that is down, and of none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlrunner.cli.commands import deploy, status
from mlrunner.core import loopback
from tests.support.playground import write_deployment


def test_no_deployment_is_no_failure(empty_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status.main([]) == 0
    assert capsys.readouterr().out == "Nothing is deployed yet; deploy a run with mlrunner deploy RUN.\n"
    assert list(empty_home.iterdir()) == []


@pytest.mark.usefixtures("empty_home")
def test_a_stopped_deployment_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    write_deployment(deploy.deployments_folder(), 1, is_stopped=True)
    assert status.main(["houses"]) == 0
    assert capsys.readouterr().out.startswith("houses  stopped\n")


@pytest.mark.usefixtures("empty_home")
def test_a_deployment_that_is_down_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    write_deployment(deploy.deployments_folder(), loopback.free_port())
    assert status.main(["--json"]) == 1
    (document,) = json.loads(capsys.readouterr().out)
    assert (document["name"], document["health"]) == ("houses", "down")

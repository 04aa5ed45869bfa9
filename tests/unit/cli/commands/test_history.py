"""`mlrunner history` on a deployment with two events."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlrunner.cli.commands import deploy, history
from mlrunner.groups.deployer.state import DeploymentStore


@pytest.fixture
def store(empty_home: Path) -> DeploymentStore:
    del empty_home
    store = DeploymentStore(deploy.deployments_folder() / "houses")
    store.log_event("deployed", version=1, run_id="0123456789", reason="r2 is high enough")
    store.log_event("stopped")
    return store


def test_events_are_printed_oldest_first(store: DeploymentStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert history.main([store.name]) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["when", "event", "version", "run", "reason"]
    assert "deployed" in first
    assert first.split(None, 4)[3:] == ["01234567", "r2 is high enough"]
    assert "stopped" in second


def test_json_holds_the_whole_events(store: DeploymentStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert history.main(["--json"]) == 0
    events = json.loads(capsys.readouterr().out)
    assert events == store.read_history()
    assert events[0]["run_id"] == "0123456789"

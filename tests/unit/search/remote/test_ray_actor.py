"""What an actor does, without Ray: steps and results come in turn, and an exception is raised to Ray."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlrunner.core.worker_cache import cache_folder
from mlrunner.search.executor import Step
from mlrunner.search.remote.ray_actor import TrialActor
from mlrunner.search.remote.remote_trial import RemoteResult
from tests.support.trials import Data, family_settings


def test_an_actor_yields_steps_that_are_answered_and_the_result(tmp_path: Path) -> None:
    data, actor = Data(tmp_path / "files"), TrialActor()
    events = []
    for event in actor.run(data.task(family_settings("xgboost"), prunes=True), b"", {}):
        events.append(event)
        actor.answer(True)
    assert isinstance(events[0], Step)
    assert isinstance(events[-1], RemoteResult)
    assert (len(events), events[-1].result and events[-1].result.state) == (2, "PRUNED")


def test_an_exception_outside_of_the_trial_is_raised(tmp_path: Path) -> None:
    task = Data(tmp_path / "files").task(family_settings("ridge"))
    with pytest.raises(Exception, match="not a zip file"):
        next(TrialActor().run(task, b"no zip", {}))


def test_an_actor_describes_itself_and_keeps_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    actor = TrialActor()
    actor.store("0a", b"rows")
    assert (cache_folder("tables") / "0a.arrow").read_bytes() == b"rows"
    assert actor.describe()["name"].endswith(f":{os.getpid()}")

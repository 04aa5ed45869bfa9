"""A warm process of a worker: it runs trials, dies alone, and ends when it is idle for long."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mlrunner.search.executor import Step
from mlrunner.search.remote.child import ChildCache, Stopped, TrialChild
from mlrunner.search.trial import TrialResult
from tests.support.trials import TIMEOUT, Data, family_settings, run_trial, sleeper

pytestmark = pytest.mark.slow


def test_a_child_is_kept_for_the_next_trial_and_ends_when_idle(tmp_path: Path) -> None:
    data, steps = Data(tmp_path / "files"), list[Step]()
    cache = ChildCache(seconds=0.5)
    child = cache.take(1, ())

    def report(step: Step) -> bool:
        steps.append(step)
        return len(steps) == 2

    task = data.task(family_settings("ridge"), folds=True, prunes=True)
    result = child.run(task, report, lambda: False)
    assert (result.state, [step.step for step in steps]) == ("PRUNED", [0, 1])
    assert (
        child.run(data.task(family_settings("ridge")), report, lambda: False).metrics
        == run_trial(data.task(family_settings("ridge"))).metrics
    )
    cache.keep(1, (), child)
    again = cache.take(1, ())
    assert again is child
    assert child.run(data.task(sleeper(ends="exit")), report, lambda: False) == TrialResult(
        0, "FAIL", error="the worker ended with code 3"
    )
    cache.keep(1, (), child)  # it is dead
    other = cache.take(1, ())
    assert other is not child
    cache.keep(1, (), other)
    deadline = time.monotonic() + TIMEOUT
    while other.is_alive and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not other.is_alive


def test_a_trial_that_is_not_wanted_ends_its_process(tmp_path: Path) -> None:
    child = TrialChild(1)
    with pytest.raises(Stopped):
        child.run(Data(tmp_path / "files").task(sleeper(seconds=TIMEOUT)), lambda _step: False, lambda: True)
    assert not child.is_alive

"""Wait for what an executor reports, and keep folders from its workers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from mlrunner.search.executor import Event, Executor, Step
from mlrunner.search.trial import TrialResult
from tests.support.trials import TIMEOUT, Data, model_settings, run_trial


def hide_folders(*folders: Path) -> list[str]:
    """Return the words before a command that keep folders from its processes; this needs root."""
    mounts = [f"mount -t tmpfs none '{folder}'" for folder in folders]
    return ["unshare", "--mount", "sh", "-c", f'{" && ".join(mounts)} && exec "$@"', "sh"] if folders else []


def wait_for_room(executor: Executor, room: int) -> None:
    """Wait until an executor without trials has room for a number of them."""
    deadline = time.monotonic() + TIMEOUT
    while executor.room != room and time.monotonic() < deadline:
        assert executor.wait(0.1) == []
    assert executor.room == room


def wait_for_events(executor: Executor) -> Iterator[Event]:
    """Yield the events of an executor."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        yield from executor.wait(0.1)
    raise TimeoutError


def wait_for_results(executor: Executor, count: int = 1, prunes: tuple[int, ...] = ()) -> dict[int, TrialResult]:
    """Answer all steps, and return a number of results by the number of their trial.

    Args:
        executor: Executor.
        count: Number of results.
        prunes: Numbers of the trials to prune.
    """
    results: dict[int, TrialResult] = {}
    for event in wait_for_events(executor):
        if isinstance(event, Step):
            executor.answer(event.number, event.number in prunes)
        else:
            results[event.number] = event
        if len(results) == count:
            break
    return results


def wait_for_note(notes: Path) -> int:
    """Wait until a trial has started, and return its process id."""
    deadline = time.monotonic() + TIMEOUT
    while not any(notes.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return int(next(notes.iterdir()).name)


def wait_for_end(pid: int) -> None:
    """Wait until a process is gone."""
    deadline = time.monotonic() + TIMEOUT
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(pid)


MODULE = """
import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin


class Own(RegressorMixin, BaseEstimator):
    def fit(self, X, y):
        self.mean_ = float(np.mean(y))
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)
"""


def check_that_all_travels(executor: Executor, data: Data, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a trial by a worker that sees neither the tables nor a folder with the estimator, nor that for the model."""
    (folder / "own_estimators.py").write_text(MODULE)
    monkeypatch.syspath_prepend(folder)
    task = data.task(model_settings("own_estimators.Own"), model_file=str(folder / "sweep" / "7" / "model.joblib"))
    expected = run_trial(replace(task, model_file=None))  # imports the module
    wait_for_room(executor, 1)
    executor.submit(replace(task, number=7))
    result = wait_for_results(executor, 1)[7]
    assert (result.state, result.metrics) == ("COMPLETE", expected.metrics)
    assert Path(str(task.model_file)).stat().st_size > 0

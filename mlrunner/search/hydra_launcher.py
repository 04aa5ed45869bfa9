"""Trials through a launcher of Hydra's: a batch at a time, for a launcher answers when all of its jobs have ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlrunner.search.trial import FOUND, TASK, Found, TrialTask
from mlrunner.search.workers import Event

NOTE = (
    "{name} runs {size} trials at a time and waits for all of them; it cannot prune, and a slow trial keeps the others "
    "waiting. hydra/launcher=basic keeps every worker busy."
)


class Launched:
    """Collects as many trials as run at the same time, and hands them to a launcher."""

    def __init__(self, launcher: Any, size: int, place: Callable[[int], tuple[tuple[str, ...], Path]]) -> None:
        """Begin with nothing.

        Args:
            launcher: Set up by Hydra.
            size: Of a batch.
            place: Tells the overrides and the folder of a trial.
        """
        self._launcher, self._size, self._place = launcher, size, place
        self._waiting: list[TrialTask] = []

    @property
    def room(self) -> int:
        """See `Executor`."""
        return self._size - len(self._waiting)

    def submit(self, task: TrialTask) -> None:
        """See `Executor`: the task goes to its folder, where the job finds it."""
        folder = self._place(task.number)[1]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / TASK).write_text(task.json())
        self._waiting.append(task)

    def wait(self, seconds: float) -> list[Event]:
        """See `Executor`: launch what was collected, and wait for all of it."""
        del seconds
        batch, self._waiting = self._waiting, []
        found: list[Event] = []
        for run in _runs(batch):  # Hydra numbers the jobs of a batch one after the other
            overrides = [self._place(task.number)[0] for task in run]
            returned = self._launcher.launch(overrides, initial_job_idx=run[0].number)
            found += [self._read(task, job) for task, job in zip(run, returned, strict=True)]
        return found

    def _read(self, task: TrialTask, job: Any) -> Found:
        file = self._place(task.number)[1] / FOUND
        if file.exists():
            return Found(**json.loads(file.read_text()))
        return Found(task.number, "FAIL", error=f"the job left no result: {job._return_value}")

    def answer(self, number: int, prune: bool) -> None:
        """See `Executor`; a launched job has no pipe to answer through."""

    def kill(self) -> None:
        """See `Executor`; the launcher ends its own jobs."""

    def close(self) -> None:
        """See `Executor`."""


def _runs(batch: list[TrialTask]) -> list[list[TrialTask]]:
    """Share a batch out into runs of numbers without a gap."""
    found: list[list[TrialTask]] = []
    for task in batch:
        if found and found[-1][-1].number + 1 == task.number:
            found[-1].append(task)
        else:
            found.append([task])
    return found


def _unheard(step: int, value: float) -> bool:
    """Go on whatever a trial reports: there is nobody to ask."""
    del step, value
    return False


def run_job(folder: Path) -> float:
    """Run the trial whose task lies in a folder: the life of a launched job.

    Returns:
        The objective, as Hydra expects of a job; NaN for a trial that failed.
    """
    from dataclasses import asdict

    from threadpoolctl import threadpool_limits

    from mlrunner.search.trial import running

    task = TrialTask.read((folder / TASK).read_text())
    with threadpool_limits(task.threads):
        found = running.run(task, _unheard)
    (folder / FOUND).write_text(json.dumps(asdict(found)))
    return found.metrics.get(task.metric, float("nan"))

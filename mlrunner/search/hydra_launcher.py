"""Run trials by a launcher of Hydra, in batches: a launcher returns when all of its jobs have ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlrunner.search.executor import Event
from mlrunner.search.trial import TRIAL_RESULT_FILE, TRIAL_TASK_FILE, TrialResult, TrialTask

NOTE = (
    "{name} runs {size} trials at a time and waits for all of them; it cannot prune, and a slow trial keeps the others "
    "waiting. hydra/launcher=basic keeps every worker busy, and executor=dask or ray does so on a cluster."
)


class LauncherExecutor:
    """Collects trials, and launches them when the loop waits.

    Args:
        launcher: Launcher, set up by Hydra.
        size: Number of trials in a batch.
        locate: Function of a trial's number that returns its overrides and its folder.
    """

    def __init__(self, launcher: Any, size: int, locate: Callable[[int], tuple[tuple[str, ...], Path]]) -> None:
        self._launcher, self._size, self._locate = launcher, size, locate
        self._batch: list[TrialTask] = []

    @property
    def room(self) -> int:
        """Number of trials that the batch still takes."""
        return self._size - len(self._batch)

    def submit(self, task: TrialTask) -> None:
        """Write the task into its folder, where the job reads it, and add it to the batch."""
        folder = self._locate(task.number)[1]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / TRIAL_TASK_FILE).write_text(task.to_json())
        self._batch.append(task)

    def wait(self, seconds: float) -> list[Event]:
        """Launch the batch, and wait for all of it; without one, for something else to submit."""
        if not self._batch:
            time.sleep(seconds)
        batch, self._batch = self._batch, []
        results: list[Event] = []
        for tasks in _consecutive(batch):  # Hydra numbers the jobs of a launch consecutively
            overrides = [self._locate(task.number)[0] for task in tasks]
            jobs = self._launcher.launch(overrides, initial_job_idx=tasks[0].number)
            results += [self._read(task, job) for task, job in zip(tasks, jobs, strict=True)]
        return results

    def _read(self, task: TrialTask, job: Any) -> TrialResult:
        folder = self._locate(task.number)[1]
        if (folder / TRIAL_RESULT_FILE).exists():
            return TrialResult.read(folder)
        return TrialResult(task.number, "FAIL", error=f"the job left no result: {_return_value(job)}")

    def answer(self, number: int, prune: bool) -> None:
        """Do nothing: a launched job has no pipe."""

    def kill(self) -> None:
        """Do nothing: the launcher ends its own jobs."""

    def release(self) -> None:
        """Do nothing: nothing is open."""

    def close(self) -> None:
        """Do nothing: nothing is open."""


def _return_value(job: Any) -> Any:
    """Return what a job of Hydra returned, or the exception that it raised."""
    try:
        return job.return_value
    except Exception as error:
        return error


def _consecutive(batch: list[TrialTask]) -> list[list[TrialTask]]:
    """Split a batch into lists of consecutive numbers."""
    lists: list[list[TrialTask]] = []
    for task in batch:
        if lists and lists[-1][-1].number + 1 == task.number:
            lists[-1].append(task)
        else:
            lists.append([task])
    return lists


def _never_prune(step: int, value: float) -> bool:
    """Continue the trial: a job has nothing to ask."""
    del step, value
    return False


def run_job(folder: Path) -> float:
    """Run the trial whose task lies in a folder, and write its result there.

    Returns:
        Objective, which Hydra expects of a job; NaN for a trial that failed.
    """
    from threadpoolctl import threadpool_limits

    from mlrunner.search.trial.running import shared_runner

    task = TrialTask.from_json((folder / TRIAL_TASK_FILE).read_text())
    with threadpool_limits(task.threads):
        result = shared_runner().run(task, _never_prune)
    result.write(folder)
    return result.metrics.get(task.metric, float("nan"))

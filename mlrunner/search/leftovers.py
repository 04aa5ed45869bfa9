"""Trials that have finished without a run in MLflow: a session that ended left them, or one is about to record them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrunner.core.outcome import OUTCOME_FILE
from mlrunner.search.trial import TRIAL_RESULT_FILE
from mlrunner.search.trial_attributes import FOLDER, VOID
from mlrunner.tracking import sweep_runs

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from mlrunner.search.child_runs import ChildRuns
    from mlrunner.search.trial_progress import FinishedTrial
    from mlrunner.search.trial_queue import TrialQueue

INTERVAL = 0.2  # seconds between two looks for the records of other sessions


class Leftovers:
    """Records each trial that a session which ended left without a run, in one session only.

    Args:
        queue: Queue of this session.
        child_runs: Records of this session.
        lock: Lock that the sessions of a home share.
        patience: Seconds to wait for other sessions to record their trials; longer for one that may be lost.
    """

    def __init__(
        self, queue: TrialQueue, child_runs: ChildRuns, lock: AbstractContextManager[Any], patience: float = 60.0
    ) -> None:
        self._queue, self._child_runs, self._lock, self._patience = queue, child_runs, lock, patience

    def record(self, read: Callable[[FrozenTrial], FinishedTrial]) -> Iterator[FinishedTrial]:
        """Record the trials that ended sessions left, each after the caller has recorded it in ZenML.

        Args:
            read: Function that reads the result of a trial from its folder.
        """
        with self._lock:
            for trial in [read(trial) for trial in self._list_unrecorded() if self._queue.is_left(trial)]:
                yield trial
                # a run that the session had begun is written anew: there is one for each trial
                sweep_runs.delete_trial(self._child_runs.parent, trial.result.number)
                self._child_runs.record(trial).result()

    def record_last(
        self, read: Callable[[FrozenTrial], FinishedTrial], is_interrupted: Callable[[], bool]
    ) -> Iterator[FinishedTrial]:
        """Wait until other sessions have recorded what they found, and record the trials of those that end before."""
        deadline = time.monotonic() + self._patience
        while any(self._list_unrecorded()) and not is_interrupted():
            yield from self.record(read)
            if time.monotonic() > deadline and not any(map(self._queue.is_unsure, self._list_unrecorded())):
                return
            time.sleep(INTERVAL)

    def _list_unrecorded(self) -> Iterator[FrozenTrial]:
        for trial in self._queue.trials:
            if not trial.state.is_finished() or trial.user_attrs.get(VOID) not in (None, "retried"):
                continue
            folder = Path(str(trial.user_attrs.get(FOLDER)))
            is_recorded = self._child_runs.has(trial.number) or (folder / OUTCOME_FILE).exists()
            if not is_recorded and (folder / TRIAL_RESULT_FILE).exists():
                yield trial

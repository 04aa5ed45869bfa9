"""The trials of the current session, as the loop reports them to the display and to the recording."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mlrunner.core.outcome import Outcome

if TYPE_CHECKING:
    from optuna.trial import Trial

    from mlrunner.search.objective import Objectives
    from mlrunner.search.trial import TrialResult
    from mlrunner.search.trial_preparation import PreparedTrial
    from mlrunner.search.trial_tables import TrialTables

OUTCOME_STATUS = {"COMPLETE": "FINISHED", "PRUNED": "PRUNED", "FAIL": "FAILED"}

AWAITING = "waiting up to two minutes to learn if another machine still runs its trials"


@dataclass
class RunningTrial:
    """A trial in a worker.

    Args:
        trial: Optuna's trial.
        prepared: Composition and folder.
        tables: Rows of the trial; None for a trial that was refused.
        started: Time of the start, in seconds since the epoch.
        reported: Last intermediate value; None before the first.
    """

    trial: Trial
    prepared: PreparedTrial
    tables: TrialTables | None
    started: float = field(default_factory=time.time)
    reported: float | None = None


@dataclass(frozen=True)
class FinishedTrial:
    """A trial and its result.

    Args:
        prepared: Composition and folder.
        result: Result of the worker.
        tables: Rows of the trial; None for a trial that was refused.
        started: Time of the start, in seconds since the epoch.
        retry_of: Number of the trial that this one repeats; None for a first attempt.
    """

    prepared: PreparedTrial
    result: TrialResult
    tables: TrialTables | None
    started: float
    retry_of: int | None = None


def describe_outcome(finished: FinishedTrial, objectives: Objectives) -> Outcome:
    """Describe a trial as the outcome of a single run; its run does not exist yet."""
    launch = finished.prepared.launch
    return describe_result(finished.result, launch.name, launch.folder, objectives)


def describe_result(result: TrialResult, name: str, folder: Path, objectives: Objectives) -> Outcome:
    """Describe the result of a trial as the outcome of a single run, without its id."""
    return Outcome(
        name=name,
        status=OUTCOME_STATUS[result.state],
        metric=objectives.metrics[0],
        direction=objectives.directions[0],
        objective=objectives.get_values(result)[0],
        seconds=result.seconds,
        fit_seconds=result.fit_seconds,
        score_seconds=result.score_seconds,
        metrics=result.metrics,
        folder=str(folder),
        job=result.number,
        error=result.error,
    )

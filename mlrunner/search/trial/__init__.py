"""One trial of a search: fit and score without Hydra, ZenML, MLflow or Optuna.

Tasks and results go through pipes and files, so they hold plain values only.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from mlrunner.core.column_roles import Roles, Task
from mlrunner.core.score_settings import DEFAULT_SCORING, ScoreSettings

TRIAL_TASK_FILE, TRIAL_RESULT_FILE = "trial.json", "trial_result.json"  # in the folder of a trial
State = Literal["COMPLETE", "PRUNED", "FAIL", "LOST"]  # lost: the worker is gone, and the trial runs again


@dataclass(frozen=True)
class RepeatTask:
    """One repeat of a trial: a fit, or a cross-validation.

    Args:
        train: Path of the training rows, an Arrow file.
        validation: Path of the rows to score; empty when there are folds.
        folds: Path of the table of folds, see `core.folds`; empty when there are no folds.
        model: `model` group, resolved.
    """

    train: str
    validation: str
    folds: str
    model: dict[str, Any]


@dataclass(frozen=True)
class TrialTask:
    """What a worker receives.

    Args:
        number: Number of the trial.
        repeats: Fits or cross-validations of the trial, at least one.
        roles: Roles of the columns.
        task: "regression" or "classification".
        metric: Name of the metric to report and to check.
        scoring: What the scores are computed by.
        threads: Number of threads for the estimator.
        prunes: True to report intermediate values, whose answers may prune the trial.
        each_fold: True to report the score of each fold; False reports the mean of the folds so far.
        model_file: Path to write the fitted pipeline to; None writes none.
        env: Environment variables of the trial, `hydra.job.env_set`.
        working_folder: Folder that the trial works in, `hydra.job.chdir=true`; None for that of the search.
    """

    number: int
    repeats: tuple[RepeatTask, ...]
    roles: Roles
    task: Task
    metric: str
    scoring: ScoreSettings = DEFAULT_SCORING
    threads: int = 1
    prunes: bool = False
    each_fold: bool = False
    model_file: str | None = None
    env: dict[str, str] = field(default_factory=dict)
    working_folder: str | None = None

    def to_json(self) -> str:
        """Serialize the task as JSON."""
        return json.dumps({**asdict(self), "scoring": self.scoring.model_dump(by_alias=True)})

    @staticmethod
    def from_json(text: str) -> TrialTask:
        """Read a task from the JSON that `to_json` returned."""
        fields = json.loads(text)
        repeats = tuple(RepeatTask(**repeat) for repeat in fields.pop("repeats"))
        roles, scoring = fields.pop("roles"), ScoreSettings.model_validate(fields.pop("scoring"))
        roles = Roles(**{**roles, "ignore": tuple(roles["ignore"])})
        return TrialTask(repeats=repeats, roles=roles, scoring=scoring, **fields)


@dataclass(frozen=True)
class TrialResult:
    """What a worker returns, and what `trial_result.json` stores.

    Args:
        number: Number of the trial.
        state: Optuna's state of the trial, or LOST.
        metrics: Means over folds and repeats, with `…_std` where there are several fits.
        scores: Metric of each fit, in the order of repeats and folds.
        seconds: Duration of the whole trial in its worker.
        fit_seconds: Duration of all fits.
        score_seconds: Duration of all predictions and their metrics.
        held_out_ratio: Ratio of held-out to training rows of the fits; 0 without any fit.
        replicates: Jackknife replicates of the metric over the validation rows, from `Replicates.to_json`; None for
            several fits, whose scores show the noise, and for too few rows.
        error: Reason of a failure or a loss; None without one.
        trace: Traceback of an unexpected exception.
        worker: Host and process that ran the trial, after the name that a cluster has for it; empty when they are not
            known.
    """

    number: int
    state: State
    metrics: dict[str, float] = field(default_factory=dict)
    scores: list[float] = field(default_factory=list)
    seconds: float = 0.0
    fit_seconds: float = 0.0
    score_seconds: float = 0.0
    held_out_ratio: float = 0.0
    replicates: dict[str, Any] | None = None
    error: str | None = None
    trace: str | None = None
    worker: str = ""

    def write(self, folder: Path) -> None:
        """Write the result into the folder of its trial."""
        (folder / TRIAL_RESULT_FILE).write_text(json.dumps(asdict(self)))

    @staticmethod
    def read(folder: Path) -> TrialResult:
        """Read the result from the folder of its trial."""
        return TrialResult(**json.loads((folder / TRIAL_RESULT_FILE).read_text()))


class TrialPruned(Exception):
    """Raised inside a fit when the search prunes the trial."""


def is_trial(folder: Path) -> bool:
    """Check whether the folder of a Hydra job holds the task of a trial."""
    return (folder / TRIAL_TASK_FILE).exists()

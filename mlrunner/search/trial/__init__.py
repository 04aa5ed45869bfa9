"""One trial of a search: what it is told, and what it finds out. It fits and scores, and knows no framework.

Tasks and results go through pipes and files, so they hold plain values only.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mlrunner.core.column_roles import Roles, Task

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

TASK, FOUND = "trial.json", "found.json"  # in the folder of a trial that one of Hydra's launchers runs
State = Literal["COMPLETE", "PRUNED", "FAIL"]


@dataclass(frozen=True)
class Part:
    """One fit of a trial, or one cross-validation: the rows and the settings of the model.

    Args:
        train: File of the training rows.
        validation: File of the rows that are scored; empty when there are folds.
        folds: File that numbers the training rows' folds; empty when there are none.
        model: The `model` group, resolved.
    """

    train: str
    validation: str
    folds: str
    model: dict[str, Any]


@dataclass(frozen=True)
class TrialTask:
    """What a worker needs to know of a trial.

    Args:
        number: Of the trial.
        parts: One a repeat.
        roles: What the columns are.
        task: regression or classification.
        metric: What is reported while the trial runs, and compared.
        threads: Of the estimator.
        prunes: Whether somebody listens to reports and may end the trial.
        each_fold: Report the score of each fold by itself, and not the mean so far.
        keep: Where the fitted pipeline is written; None writes none.
    """

    number: int
    parts: tuple[Part, ...]
    roles: Roles
    task: Task
    metric: str
    threads: int = 1
    prunes: bool = False
    each_fold: bool = False
    keep: str | None = None

    def json(self) -> str:
        """Write the task for another process."""
        return json.dumps(asdict(self))

    @staticmethod
    def read(text: str) -> TrialTask:
        """Read what `json` wrote."""
        told = json.loads(text)
        parts = tuple(Part(**part) for part in told.pop("parts"))
        roles = Roles(**{**told.pop("roles"), "ignore": tuple(json.loads(text)["roles"]["ignore"])})
        return TrialTask(parts=parts, roles=roles, **told)


@dataclass(frozen=True)
class Found:
    """What a trial found out.

    Args:
        number: Of the trial.
        state: In Optuna's words.
        metrics: Means over folds and repeats, with `…_std` where there are several.
        scores: The metric of each fit, in the order of folds and repeats.
        seconds: Of the whole trial in its worker.
        fit_seconds: Of all fits.
        score_seconds: Of all predictions and their metrics.
        error: What went wrong; None when nothing did.
        trace: The traceback behind it.
    """

    number: int
    state: State
    metrics: dict[str, float] = field(default_factory=dict)
    scores: list[float] = field(default_factory=list)
    seconds: float = 0.0
    fit_seconds: float = 0.0
    score_seconds: float = 0.0
    error: str | None = None
    trace: str | None = None


class Pruned(Exception):
    """Whoever listens has seen enough."""


@dataclass(frozen=True)
class Prepared:
    """The rows of one fit.

    Args:
        front: The fitted learned features.
        raw: What they learned from.
        train: What they make of it.
        target: Of those rows.
        validation: What they make of the rows that are scored.
        known: The target of these.
    """

    front: Pipeline
    raw: pd.DataFrame
    train: Any
    target: pd.Series[Any]
    validation: Any
    known: pd.Series[Any]


def is_trial(folder: Path) -> bool:
    """Check whether a job of one of Hydra's launchers runs a trial of a search.

    Args:
        folder: Hydra's output folder of the job.
    """
    return (folder / TASK).exists()

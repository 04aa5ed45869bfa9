"""Record what a good colleague would say about the scores of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlrunner.core.metric_names import TRIVIAL
from mlrunner.evaluation.advice import scores
from mlrunner.tracking import run_log
from mlrunner.tracking.records.record import warning_tags

if TYPE_CHECKING:
    import pandas as pd

    from mlrunner.core.column_roles import Task
    from mlrunner.evaluation.scoring import Evaluation
    from mlrunner.steps.recording import RunContext


def log_advice(run: RunContext, evaluation: Evaluation, target: pd.Series[Any], task: Task) -> None:
    """Log the score of a trivial model, and tag the run with warnings about its scores."""
    trivial = scores.score_trivial(target, evaluation.predictions, task)
    value = trivial.get(run.objective, np.nan)
    if np.isfinite(value):
        run_log.log_metrics(run.run_id, {f"{TRIVIAL}/{run.objective}": value})
    notices = scores.warn_of_scores(evaluation, trivial, run.objective, task)
    tags = warning_tags(notice for notice in notices if notice.name not in run.ignored_warnings)
    if tags:
        run_log.set_tags(run.run_id, tags)

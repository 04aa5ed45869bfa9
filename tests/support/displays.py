"""Searches and trials to display."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import FloatDistribution
from optuna.storages import InMemoryStorage

from mlrunner.composition.composition import Launch
from mlrunner.search.dimension import Dimension
from mlrunner.search.loop import Search
from mlrunner.search.objective import Objectives
from mlrunner.search.space import Space
from mlrunner.search.trial import TrialResult
from mlrunner.search.trial_attributes import OVERRIDES
from mlrunner.search.trial_preparation import PreparedTrial
from mlrunner.search.trial_progress import FinishedTrial, RunningTrial
from tests.support.sweeps import build_settings, open_study_in, start_queue

UP = Objectives(("r2",), ("maximize",))
BOTH = Objectives(("r2", "fit_seconds"), ("maximize", "minimize"))
X = FloatDistribution(0, 1)
SPACE = Space((), (Dimension("rf:model.estimator.x", "model.estimator.x", X, "interval(0,1)", "rf"),), "rf")


def build_search(objectives: Objectives = UP, limit: int = 20) -> Search:
    """Build a search without a started trial."""
    directions: Any = list(objectives.directions)
    study = open_study_in(InMemoryStorage(), "day/time", *directions)
    unused: Any = None
    return Search(build_settings(), objectives, SPACE, study, start_queue(study, limit), unused, unused)


def prepare(number: int, *overrides: str) -> PreparedTrial:
    """Build a trial with a parameter of a tenth of its number."""
    texts = overrides or (f"model.estimator.x={number / 10}",)
    return PreparedTrial(number, texts, (), Launch({}, list(texts), Path("/sweep") / str(number), number), {})


def build_finished(number: int, state: Any = "COMPLETE", retry_of: int | None = None, **values: Any) -> FinishedTrial:
    return FinishedTrial(prepare(number), TrialResult(number, state, seconds=1.234, **values), None, 0.0, retry_of)


def start_trial(search: Search, **values: Any) -> RunningTrial:
    """Start a trial of the study."""
    trial = search.queue.take(lambda trial: trial.suggest_float("rf:model.estimator.x", 0, 1) >= 0)
    assert trial is not None
    trial.set_user_attr(OVERRIDES, [])
    search.running[trial.number] = RunningTrial(trial, prepare(trial.number), None, **values)
    return search.running[trial.number]


def finish_trial(search: Search, value: float | None = None, state: str = "COMPLETE") -> int:
    running = start_trial(search)
    del search.running[running.trial.number]
    search.study.tell(running.trial, value, optuna.trial.TrialState[state])
    return running.trial.number

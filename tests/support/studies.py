"""Small Optuna studies to plot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
from optuna.distributions import IntDistribution
from optuna.trial import create_trial

Objective = Callable[[optuna.Trial], Any]


def run_study(objective: Objective, trials: int, direction: Any = "minimize", **settings: Any) -> optuna.Study:
    """Run a random search."""
    directions = direction if isinstance(direction, list) else [direction]
    settings = {"sampler": optuna.samplers.RandomSampler(seed=0)} | settings
    study = optuna.create_study(study_name="olist", directions=directions, **settings)
    study.optimize(objective, trials, catch=(RuntimeError,))
    return study


def make_study(values: list[float], direction: Any = "minimize") -> optuna.Study:
    """Make a study of these values with one parameter."""
    study = optuna.create_study(study_name="given", direction=direction)
    for k, value in enumerate(values):
        study.add_trial(create_trial(value=value, params={"x": k}, distributions={"x": IntDistribution(0, 2000)}))
    return study


def compute_square(trial: optuna.Trial) -> float:
    """Compute an objective of a float and an integer parameter."""
    return float((trial.suggest_float("a.x", -1, 1) - 0.3) ** 2 + 0.01 * trial.suggest_int("a.n", 1, 9))


def search_two_models(trial: optuna.Trial) -> float:
    """Search two models with parameters of their own; of six trials the fifth is pruned and the last fails."""
    model = trial.suggest_categorical("model", ["xgboost", "rf"])
    score = 0.1 * trial.suggest_int("cleaning.window", 1, 9)
    if model == "xgboost":
        rate = trial.suggest_float("xgboost:model.estimator.learning_rate", 1e-3, 1, log=True)
        score += abs(np.log10(rate) + 1) + 0.01 * trial.suggest_int("xgboost:model.estimator.max_depth", 3, 9)
    else:
        score += 3 / trial.suggest_int("rf:model.estimator.max_depth", 2, 20)
        score += 0.1 * (trial.suggest_categorical("rf:model.estimator.max_features", ["sqrt", None]) is None)
    trial.report(score + 1, 0)
    trial.report(score + 0.5, 1)
    if trial.number % 6 == 5:
        raise RuntimeError
    if trial.number % 6 == 4:
        raise optuna.TrialPruned
    return float(score)


def compute_two_objectives(trial: optuna.Trial) -> tuple[float, float]:
    """Compute two objectives of which no trial is best in both."""
    x, n = trial.suggest_float("x", 0, 1), trial.suggest_int("n", 1, 9)
    return x**2 + 0.01 * n, (x - 1) ** 2

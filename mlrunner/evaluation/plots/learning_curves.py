"""Learning curves of boosted trees: computation and plot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlrunner.core.estimators import get_library
from mlrunner.evaluation.plots import style
from mlrunner.evaluation.predictions import Array, Predictions, preprocess, unwrap_estimator
from mlrunner.evaluation.probabilities import log_loss

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlrunner.core.column_roles import Task

ROUND_KEYWORDS = {"xgboost": "iteration_range", "lightgbm": "num_iteration", "catboost": "ntree_end"}
StagedPredict = Callable[[Any], list[Array]]


@dataclass(frozen=True)
class LearningCurve:
    """Hold a metric by boosting round.

    Args:
        metric: Name of the metric.
        rounds: Round numbers, shape (n_rounds,).
        train: Metric of the training rows, shape (n_rounds,); None if unknown.
        validation: Metric of the validation rows, shape (n_rounds,); None if unknown.
    """

    metric: str
    rounds: Array
    train: Array | None
    validation: Array | None


def plot_learning_curve(curve: LearningCurve, subject: str = "") -> Figure:
    """Draw the metric of training and validation rows by boosting round."""
    figure = style.create_figure("Learning curve", subject, 6.6, 4.2)
    axes = style.add_axes(figure, (0.75, 0.6, 4.4, 2.8), "boosting rounds", curve.metric)
    sides = {"held out": curve.validation, "train": curve.train}  # for a refitted model these are the test rows
    lines: list[Any] = []
    labels: list[str] = []
    for number, (name, values) in enumerate(sides.items()):
        if values is not None:
            line_style = style.choose_line_style(number) | {"linestyle": style.DASHES[number]}
            lines += axes.plot(curve.rounds, values, **line_style)
            labels.append(name)
    style.add_legend(axes, lines, labels, "rows")
    return figure


def compute_learning_curve(
    estimator: Any,
    features_train: pd.DataFrame,
    y_train: pd.Series[Any],
    features_validation: pd.DataFrame,
    y_validation: pd.Series[Any],
    task: Task,
    rows: int = 1_000,
    points: int = 15,
) -> LearningCurve | None:
    """Compute rmse or log loss of a fitted booster by boosting round.

    Metrics that the booster recorded during the fit are used as they are. Otherwise the first rows of both parts are
    predicted with an increasing number of rounds.

    Args:
        estimator: Fitted Pipeline.
        features_train: Feature columns of the training rows.
        y_train: True values of the training rows.
        features_validation: Feature columns of the validation rows; may have zero rows.
        y_validation: True values of the validation rows.
        task: Regression or classification.
        rows: Maximum number of rows of each part.
        points: Maximum number of rounds to evaluate.

    Returns:
        The learning curve; None for estimators other than boosted trees.
    """
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    recorded = _read_recorded_curve(unwrap_estimator(last))
    if recorded is not None:
        return recorded
    stages = _plan_stages(unwrap_estimator(last), points, "predict" if task == "regression" else "predict_proba")
    if stages is None:
        return None
    rounds, staged = stages
    pairs = ((features_train.iloc[:rows], y_train), (features_validation.iloc[:rows], y_validation))
    sides = [_compute_losses(estimator, features, target, staged, task) for features, target in pairs]
    return LearningCurve("rmse" if task == "regression" else "log_loss", rounds, *sides)


def _compute_losses(
    estimator: Any, features: pd.DataFrame, target: pd.Series[Any], staged: StagedPredict, task: Task
) -> Array | None:
    """Compute the loss after each round; `target` may have more rows than `features`."""
    if len(features) == 0:
        return None
    inputs, last = preprocess(estimator, features)
    y_true = target.to_numpy()[: len(features)]
    return np.array([_compute_loss(last, y_true, predicted, task) for predicted in staged(inputs)])


def _compute_loss(last: Any, y_true: Array, predicted: Array, task: Task) -> float:
    if task == "regression":
        return float(np.sqrt(np.mean((y_true - np.ravel(predicted)) ** 2)))
    return log_loss(Predictions(y_true, y_true, predicted, np.asarray(last.classes_)))


def _read_recorded_curve(model: Any) -> LearningCurve | None:
    """Read the metrics recorded during the fit; None when they cover training rows alone."""
    scores = np.asarray(getattr(model, "validation_score_", []))
    if scores.size:  # HistGradientBoosting: starts with round 0; a loss is stored negated, so greater is better
        metric = "loss" if model.scoring == "loss" else str(model.scoring)
        sign = -1 if metric == "loss" else 1
        return LearningCurve(metric, np.arange(scores.size), sign * np.asarray(model.train_score_), sign * scores)
    record: dict[str, dict[str, list[float]]] = getattr(model, "evals_result_", None) or {}
    sets = [name for name in record if name not in ("learn", "training")]
    if not sets:
        return None
    metric = list(record[sets[-1]])[-1]
    first = next(iter(record))
    train = np.asarray(record[first][metric]) if first != sets[-1] and metric in record[first] else None
    values = np.asarray(record[sets[-1]][metric])
    return LearningCurve(metric, np.arange(1, len(values) + 1), train, values)


def _plan_stages(model: Any, points: int, method: str) -> tuple[Array, StagedPredict] | None:
    """Choose the rounds to evaluate; return them, and a function that predicts with each number of rounds."""
    total = _count_rounds(model, method)
    if total < 2:
        return None
    # Denser at the start, where the curve bends and a prediction evaluates the fewest trees.
    rounds = np.unique((1 + (total - 1) * np.linspace(0, 1, points) ** 2).round().astype(int))
    selected = set(rounds.tolist())

    def predict_stages(inputs: Any) -> list[Array]:
        keyword = ROUND_KEYWORDS.get(get_library(type(model)))
        if keyword is not None:
            call = getattr(model, method)
            return [call(inputs, **{keyword: (0, k) if keyword == "iteration_range" else k}) for k in rounds]
        stages = enumerate(getattr(model, f"staged_{method}")(inputs), start=1)
        return [predicted for k, predicted in stages if k in selected]

    return rounds, predict_stages


def _count_rounds(model: Any, method: str) -> int:
    """Count the boosting rounds; 0 for estimators that are not boosted trees."""
    library = get_library(type(model))
    if library == "xgboost":
        return 0 if model.get_params().get("booster") == "gblinear" else model.get_booster().num_boosted_rounds()
    if library == "lightgbm":
        return int(model.booster_.current_iteration())
    if library == "catboost":
        return int(model.tree_count_)
    if not hasattr(model, f"staged_{method}"):
        return 0
    return len(model.estimators_) if hasattr(model, "estimators_") else int(model.n_iter_)

"""Learning curves of boosters: read or computed round by round, and their picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlrunner.evaluation.metrics import log_loss
from mlrunner.evaluation.plots import style
from mlrunner.evaluation.predictions import Array, Predictions, preprocess, unwrap_estimator

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlrunner.core.column_roles import Task

KEYWORDS = {"xgboost": "iteration_range", "lightgbm": "num_iteration", "catboost": "ntree_end"}
Staged = Callable[[Any], list[Array]]


@dataclass(frozen=True)
class LearningCurve:
    """A metric after so many boosting rounds; either side may be unknown."""

    metric: str
    rounds: Array
    train: Array | None
    validation: Array | None


def plot_learning_curve(curve: LearningCurve, subject: str = "") -> Figure:
    """Draw the metric of the training and the validation rows by boosting round."""
    figure = style.canvas("Learning curve", subject, 6.6, 4.2)
    axes = style.add_axes(figure, (0.75, 0.6, 4.4, 2.8), "boosting rounds", curve.metric)
    sides = {"held out": curve.validation, "train": curve.train}  # of a refitted winner those are the test rows
    lines: list[Any] = []
    labels: list[str] = []
    for number, (name, values) in enumerate(sides.items()):
        if values is not None:
            lines += axes.plot(curve.rounds, values, **(style.line(number) | {"linestyle": style.DASHES[number]}))
            labels.append(name)
    style.legend(axes, lines, labels, "rows")
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
    """Follow a fitted booster's rmse or log loss round by round; None for anything that does not boost.

    What the booster itself recorded while fitting is taken as it is. Otherwise its first rounds, more and
    more of them, predict the first rows of both splits.

    Args:
        estimator: A fitted Pipeline.
        features_train: Rows by feature columns.
        y_train: Their answers.
        features_validation: The same, of rows it did not learn from; may have no row.
        y_validation: Their answers.
        task: Regression or classification.
        rows: Rows at most of each split.
        points: Rounds at most at which to look.
    """
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    recorded = _recorded(unwrap_estimator(last))
    if recorded is not None:
        return recorded
    stages = _stages(unwrap_estimator(last), points, "predict" if task == "regression" else "predict_proba")
    if stages is None:
        return None
    rounds, staged = stages
    pairs = ((features_train.iloc[:rows], y_train), (features_validation.iloc[:rows], y_validation))
    sides = [_follow(estimator, features, target, staged, task) for features, target in pairs]
    return LearningCurve("rmse" if task == "regression" else "log_loss", rounds, *sides)


def _follow(estimator: Any, features: pd.DataFrame, target: pd.Series[Any], staged: Staged, task: Task) -> Array | None:
    """Measure the loss after each of the rounds; the target may go on after the features end."""
    if len(features) == 0:
        return None
    inputs, last = preprocess(estimator, features)
    known = target.to_numpy()[: len(features)]
    return np.array([_loss(last, known, given, task) for given in staged(inputs)])


def _loss(last: Any, known: Array, given: Array, task: Task) -> float:
    if task == "regression":
        return float(np.sqrt(np.mean((known - np.ravel(given)) ** 2)))
    return log_loss(Predictions(known, known, given, np.asarray(last.classes_)))


def _recorded(model: Any) -> LearningCurve | None:
    """Read what the booster wrote down while fitting, if that includes rows it did not learn from."""
    scores = np.asarray(getattr(model, "validation_score_", []))
    if scores.size:  # HistGradientBoosting: greater is better, so a loss is stored negated; round 0 comes first
        scored = "loss" if model.scoring == "loss" else str(model.scoring)
        sign = -1 if scored == "loss" else 1
        return LearningCurve(scored, np.arange(scores.size), sign * np.asarray(model.train_score_), sign * scores)
    record: dict[str, dict[str, list[float]]] = getattr(model, "evals_result_", None) or {}
    sets = [name for name in record if name not in ("learn", "training")]
    if not sets:
        return None
    metric = list(record[sets[-1]])[-1]
    first = next(iter(record))
    train = np.asarray(record[first][metric]) if first != sets[-1] and metric in record[first] else None
    values = np.asarray(record[sets[-1]][metric])
    return LearningCurve(metric, np.arange(1, len(values) + 1), train, values)


def _stages(model: Any, points: int, method: str) -> tuple[Array, Staged] | None:
    """Find the rounds to look at, and how to predict with only so many of them."""
    total = _rounds(model, method)
    if total < 2:
        return None
    # Closer at the start, where the curve bends, and where a look walks the fewest trees.
    rounds = np.unique((1 + (total - 1) * np.linspace(0, 1, points) ** 2).round().astype(int))
    wanted = set(rounds.tolist())

    def predictions(inputs: Any) -> list[Array]:
        keyword = KEYWORDS.get(_library(model))
        if keyword is not None:
            call = getattr(model, method)
            return [call(inputs, **{keyword: (0, k) if keyword == "iteration_range" else k}) for k in rounds]
        stages = enumerate(getattr(model, f"staged_{method}")(inputs), start=1)
        return [given for k, given in stages if k in wanted]

    return rounds, predictions


def _library(model: Any) -> str:
    return type(model).__module__.partition(".")[0]


def _rounds(model: Any, method: str) -> int:
    """Count the rounds that can be looked at one by one; 0 for what does not boost trees."""
    library = _library(model)
    if library == "xgboost":
        return 0 if model.get_params().get("booster") == "gblinear" else model.get_booster().num_boosted_rounds()
    if library == "lightgbm":
        return int(model.booster_.current_iteration())
    if library == "catboost":
        return int(model.tree_count_)
    if not hasattr(model, f"staged_{method}"):
        return 0
    return len(model.estimators_) if hasattr(model, "estimators_") else int(model.n_iter_)

"""Plots: the pictures that every run logs, and the two computations that only a picture needs.

Drawn with matplotlib's object interface: pyplot keeps global state, and two trials may draw in two threads. Only the
pictures of a whole search use pyplot, as Optuna draws them: one process draws them once, when the trials have ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlrunner.evaluation.metrics import Predictions
from mlrunner.evaluation.plots.classification import CELLS, LINES, compact, confusion_matrix, precision_recall, roc
from mlrunner.evaluation.plots.cost import Costs, cost_against_score
from mlrunner.evaluation.plots.importance import BARS, Importance, feature_importance, permutation_importance
from mlrunner.evaluation.plots.learning_curves import LearningCurve, learning, learning_curve
from mlrunner.evaluation.plots.regression import POINTS, predicted_vs_actual, residuals
from mlrunner.evaluation.plots.style import shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlrunner.core.column_roles import Task

__all__ = [
    "BARS",
    "CELLS",
    "LINES",
    "POINTS",
    "Costs",
    "Importance",
    "LearningCurve",
    "compact",
    "confusion_matrix",
    "cost_against_score",
    "feature_importance",
    "figures",
    "learning",
    "learning_curve",
    "permutation_importance",
    "precision_recall",
    "predicted_vs_actual",
    "residuals",
    "roc",
    "shorten",
]


def figures(
    predictions: Predictions,
    task: Task,
    subject: str = "",
    importance: Importance | None = None,
    curve: LearningCurve | None = None,
    inspected: str | None = None,
) -> dict[str, Figure]:
    """Draw every figure that these numbers allow.

    Args:
        predictions: What the model said of one split.
        task: Regression or classification.
        subject: The line under each title: data set (and that it is synthetic), model, split.
        importance: From `permutation_importance`.
        curve: From `learning_curve`.
        inspected: The subject of importance and curve; None where it is the predictions' own.

    Returns:
        Figure by name: a file name without suffix. A figure that would be empty is absent.
    """
    drawn: dict[str, Figure | None] = {}
    if len(predictions.y_true) and task == "regression":
        drawn["predicted_vs_actual"] = predicted_vs_actual(predictions, subject)
        drawn["residuals"] = residuals(predictions, subject)
    elif len(predictions.y_true):
        drawn["confusion_matrix"] = confusion_matrix(predictions, subject)
        drawn["roc"] = roc(predictions, subject)
        drawn["pr"] = precision_recall(predictions, subject)
    about = subject if inspected is None else inspected
    drawn["feature_importance"] = feature_importance(importance, about) if importance is not None else None
    drawn["learning_curve"] = learning(curve, about) if curve is not None else None
    return {name: figure for name, figure in drawn.items() if figure is not None}

"""Plots: the pictures that every run logs, and the two computations that only a picture needs.

Drawn with matplotlib's object interface: pyplot keeps global state, and two trials may draw in two threads. Only the
pictures of a whole search use pyplot, as Optuna draws them: one process draws them once, when the trials have ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlrunner.evaluation.plots.classification import (
    MAX_CLASSES,
    MAX_CURVES,
    format_count,
    plot_confusion_matrix,
    plot_precision_recall,
    plot_roc,
)
from mlrunner.evaluation.plots.cost import Costs, plot_cost_against_score
from mlrunner.evaluation.plots.importance import (
    MAX_BARS,
    Importance,
    compute_permutation_importance,
    plot_feature_importance,
)
from mlrunner.evaluation.plots.learning_curves import LearningCurve, compute_learning_curve, plot_learning_curve
from mlrunner.evaluation.plots.regression import MAX_POINTS, plot_predicted_vs_actual, plot_residuals
from mlrunner.evaluation.plots.style import shorten
from mlrunner.evaluation.predictions import Predictions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlrunner.core.column_roles import Task

__all__ = [
    "MAX_BARS",
    "MAX_CLASSES",
    "MAX_CURVES",
    "MAX_POINTS",
    "Costs",
    "Importance",
    "LearningCurve",
    "compute_learning_curve",
    "compute_permutation_importance",
    "draw_figures",
    "format_count",
    "plot_confusion_matrix",
    "plot_cost_against_score",
    "plot_feature_importance",
    "plot_learning_curve",
    "plot_precision_recall",
    "plot_predicted_vs_actual",
    "plot_residuals",
    "plot_roc",
    "shorten",
]


def draw_figures(
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
        importance: From `compute_permutation_importance`.
        curve: From `compute_learning_curve`.
        inspected: The subject of importance and curve; None where it is the predictions' own.

    Returns:
        Figure by name: a file name without suffix. A figure that would be empty is absent.
    """
    drawn: dict[str, Figure | None] = {}
    if len(predictions.y_true) and task == "regression":
        drawn["predicted_vs_actual"] = plot_predicted_vs_actual(predictions, subject)
        drawn["residuals"] = plot_residuals(predictions, subject)
    elif len(predictions.y_true):
        drawn["confusion_matrix"] = plot_confusion_matrix(predictions, subject)
        drawn["roc"] = plot_roc(predictions, subject)
        drawn["pr"] = plot_precision_recall(predictions, subject)
    about = subject if inspected is None else inspected
    drawn["feature_importance"] = plot_feature_importance(importance, about) if importance is not None else None
    drawn["learning_curve"] = plot_learning_curve(curve, about) if curve is not None else None
    return {name: figure for name, figure in drawn.items() if figure is not None}

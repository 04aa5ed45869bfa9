"""Plots of a run, and the permutation importance and learning curve that they show.

They use matplotlib's object interface: pyplot keeps global state, and two trials may draw in two threads. Only Optuna's
plots of a search use pyplot; one process draws them, after the last trial.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlrunner.evaluation.plots.classification import plot_confusion_matrix, plot_precision_recall, plot_roc
from mlrunner.evaluation.plots.cost import Costs, plot_cost_against_score
from mlrunner.evaluation.plots.importance import (
    Importance,
    compute_permutation_importance,
    plot_contributions,
    plot_feature_importance,
)
from mlrunner.evaluation.plots.learning_curves import LearningCurve, compute_learning_curve, plot_learning_curve
from mlrunner.evaluation.plots.regression import plot_predicted_vs_actual, plot_residuals
from mlrunner.evaluation.predictions import Predictions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlrunner.core.column_roles import Task

__all__ = [
    "Costs",
    "Importance",
    "LearningCurve",
    "compute_learning_curve",
    "compute_permutation_importance",
    "draw_figures",
    "plot_contributions",
    "plot_cost_against_score",
]


def draw_figures(
    predictions: Predictions,
    task: Task,
    subject: str = "",
    importance: Importance | None = None,
    curve: LearningCurve | None = None,
    fitted_subject: str | None = None,
) -> dict[str, Figure]:
    """Draw all plots that apply.

    Args:
        predictions: Predictions for one part of the split.
        task: Regression or classification.
        subject: Line below each title: data set (and whether it is synthetic), model, part.
        importance: Result of `compute_permutation_importance`.
        curve: Result of `compute_learning_curve`.
        fitted_subject: Line below the titles of importance and learning curve; None for `subject`.

    Returns:
        Figures by file name without suffix. Empty plots are omitted.
    """
    plots: dict[str, Figure | None] = {}
    if len(predictions.y_true) and task == "regression":
        plots["predicted_vs_actual"] = plot_predicted_vs_actual(predictions, subject)
        plots["residuals"] = plot_residuals(predictions, subject)
    elif len(predictions.y_true):
        plots["confusion_matrix"] = plot_confusion_matrix(predictions, subject)
        plots["roc"] = plot_roc(predictions, subject)
        plots["pr"] = plot_precision_recall(predictions, subject)
    about = subject if fitted_subject is None else fitted_subject
    plots["feature_importance"] = plot_feature_importance(importance, about) if importance is not None else None
    plots["learning_curve"] = plot_learning_curve(curve, about) if curve is not None else None
    return {name: figure for name, figure in plots.items() if figure is not None}

"""Titles and captions of the pictures in a report."""

from __future__ import annotations

IMPORTANCE = "hyperparameter_importance"
NO_IMPORTANCE = "The importance of hyperparameters is not shown: it needs four complete trials with different scores, \
and two parameters that vary in all of them."
SEARCH = {
    "optimization_history": (
        "Optimization history",
        "The score of each complete trial in order of start; the line is the best score so far.",
    ),
    "pareto_front": ("Pareto front", "Red: trials that no other trial dominates in all objectives."),
    IMPORTANCE: (
        "Importance of hyperparameters",
        "The share of the variance of the scores that each parameter explains.",
    ),
    "parallel_coordinates": (
        "Parallel coordinates",
        "One line per trial over the parameters that all trials share; darker is better.",
    ),
    "slices": ("Slices", "The score against each parameter; later trials are darker."),
}
COST = (
    "Cost against score",
    "The score of each trial against its duration; the line is the best score within a duration.",
)
CONTRIBUTIONS = (
    "Contributions",
    "How much each column adds to or takes from a prediction (SHAP values), on average over a sample of the test rows.",
)
MODEL = {
    "predicted_vs_actual": ("Predicted against actual", "Points on the line are predicted exactly."),
    "residuals": (
        "Residuals",
        "Actual minus predicted values; a slope or a funnel shows what the model has not learned.",
    ),
    "confusion_matrix": ("Confusion matrix", "Number of rows by actual and predicted class."),
    "roc": ("ROC", "True positive rate against false positive rate, for every threshold."),
    "pr": ("Precision and recall", "Precision against recall, for every threshold."),
    "feature_importance": (
        "Importance of features",
        "The decrease of the score when the values of a column are shuffled.",
    ),
    "learning_curve": ("Learning curve", "The score on training rows and other rows, as training proceeds."),
}

"""Predictions to plot, and readers of what a figure shows."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from mlrunner.evaluation.plots import Importance, LearningCurve
from mlrunner.evaluation.predictions import Predictions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LONG_NAME = "the name of a column that goes on and on until it does not fit any axis"


def make_regression(rows: int = 50, name: str = "price") -> Predictions:
    """Make predictions with an error of a tenth of the target's standard deviation."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=rows)
    return Predictions(y, y + 0.1 * rng.normal(size=rows), target=name)


def make_classification(classes: list[Any], rows: int = 300, proba: bool = True) -> Predictions:
    """Make equally frequent labels, and probabilities that are correlated with them."""
    rng = np.random.default_rng(0)
    codes = np.arange(rows) % len(classes)
    weights = rng.random((rows, len(classes))) + 2 * np.eye(len(classes))[codes] * rng.random((rows, 1))
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    names = np.array(classes, dtype=object)
    y_pred = names[probabilities.argmax(axis=1)]
    return Predictions(names[codes], y_pred, probabilities if proba else None, names, "grade")


def name_classes(count: int) -> list[str]:
    """Return `count` class names."""
    return [f"class {k}" for k in range(count)]


def make_importance(columns: int = 4) -> Importance:
    """Make an importance that grows with the number of the column."""
    names = [f"column {k}" for k in range(columns)]
    return Importance(names, np.linspace(0, 1, columns), np.full(columns, 0.1), "r2", 3)


def make_curve() -> LearningCurve:
    """Make a learning curve of three rounds."""
    return LearningCurve("rmse", np.array([1, 5, 9]), np.array([3.0, 2, 1]), np.array([3.0, 2.5, 2.6]))


def read_texts(figure: Figure) -> list[str]:
    """Return every text of a figure."""
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def save_png(figure: Figure) -> bytes:
    """Save a figure as PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def read_legend(figure: Figure) -> list[str]:
    """Return the labels of the legend."""
    legend = figure.axes[0].get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]

"""The picture of a regression: predicted against actual, and the residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlrunner.metrics import Array, Predictions, measure
from mlrunner.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 2_000  # points drawn at most: more take longer and show no more


def predicted_vs_actual(predictions: Predictions, subject: str = "") -> Figure | None:
    """Draw predicted against actual, and residuals against predicted."""
    scores, name = measure(predictions, "regression"), style.shorten(predictions.target, 30)
    actual, predicted = predictions.y_true.astype(float), predictions.y_pred.astype(float)
    finite = np.flatnonzero(np.isfinite(actual) & np.isfinite(predicted))
    if not finite.size:
        return None
    rng = np.random.default_rng(0)
    rows = rng.choice(finite, POINTS, replace=False) if finite.size > POINTS else finite
    actual, predicted = actual[rows], predicted[rows]
    note = f"{rows.size:,} of {len(predictions.y_true):,} rows drawn"
    title = f"Predicted against actual: R² {scores['r2']:.3f}, RMSE {scores['rmse']:.4g}"
    figure = style.canvas(title, f"{subject} · {note}" if subject else note, 9.6, 4.6)
    left = style.add_axes(figure, (0.75, 0.6, 3.7, 3.2), f"actual {name}", f"predicted {name}")
    _points(left, _spread(actual, rng), predicted)
    left.axline((float(actual.mean()),) * 2, slope=1, color=style.COLOURS[1], linewidth=1.2)
    right = style.add_axes(figure, (5.45, 0.6, 3.9, 3.2), f"predicted {name}", "residual (actual - predicted)")
    _points(right, predicted, actual - predicted)
    right.axhline(0, color=style.COLOURS[1], linewidth=1.2)
    return figure


def _points(axes: Axes, x: Array, y: Array) -> None:
    alpha = float(np.clip(400 / len(x), 0.2, 0.7))
    axes.plot(x, y, "o", markersize=3, markeredgewidth=0, alpha=alpha, color=style.COLOURS[0])


def _spread(values: Array, rng: np.random.Generator) -> Array:
    """Shift the points of a target with few values sideways, as they would hide one another."""
    distinct = np.unique(values)
    if not 2 <= len(distinct) <= 20:
        return values
    shifts: Array = rng.uniform(-0.2, 0.2, len(values)) * np.diff(distinct).min()
    return values + shifts

"""Plots of a regression: predicted against actual values, and residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlrunner.core.formatting import format_number
from mlrunner.evaluation.metrics import measure
from mlrunner.evaluation.plots import style
from mlrunner.evaluation.predictions import Array, Predictions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_POINTS = 2_000  # more points take longer and show no more
MAX_BINS = 12  # equally large bins of predictions with a median and quantiles of the residuals
MIN_BIN_ROWS = 10  # of a bin


def plot_predicted_vs_actual(predictions: Predictions, subject: str = "") -> Figure | None:
    """Draw predicted against actual."""
    scores, name = measure(predictions, "regression"), style.shorten(predictions.target, 30)
    rng = np.random.default_rng(0)
    actual, predicted = _sample_points(predictions, rng)
    if not actual.size:
        return None
    note = f"{actual.size:,} of {len(predictions.y_true):,} rows drawn"
    title = f"Predicted against actual: R² {scores['r2']:.3f}, RMSE {format_number(scores['rmse'])}"
    figure = style.create_figure(title, f"{subject} · {note}" if subject else note, 7.2, 4.6)
    axes = style.add_axes(figure, (0.75, 0.6, 6.1, 3.2), f"actual {name}", f"predicted {name}")
    _plot_points(axes, _add_jitter(actual, rng), predicted)
    axes.axline((float(actual.mean()),) * 2, slope=1, color=style.COLOURS[1], linewidth=1.2)
    return figure


def plot_residuals(predictions: Predictions, subject: str = "") -> Figure | None:
    """Draw residuals against predicted with their median and 10-90% range, and their histogram."""
    actual, predicted = _sample_points(predictions, np.random.default_rng(0))
    if not actual.size:
        return None
    residual, name = actual - predicted, style.shorten(predictions.target, 30)
    note = f"{actual.size:,} of {len(predictions.y_true):,} rows drawn"
    middle, half = format_number(float(residual.mean())), format_number(float(np.median(np.abs(residual))))
    title = f"Residuals: mean {middle}, half of them within ± {half}"
    figure = style.create_figure(title, f"{subject} · {note}" if subject else note, 9.6, 4.6)
    left = style.add_axes(figure, (0.75, 0.6, 5.1, 3.2), f"predicted {name}", "residual (actual - predicted)")
    _plot_points(left, predicted, residual)
    _plot_quantiles(left, predicted, residual)
    right = style.add_axes(figure, (6.2, 0.6, 1.6, 3.2), "rows", "")
    right.hist(residual, bins=30, orientation="horizontal", color=style.COLOURS[0], alpha=0.7)
    right.set(ylim=left.get_ylim())
    right.tick_params(labelleft=False)
    for axes in (left, right):
        axes.axhline(0, color=style.GREY, linewidth=0.8)
    return figure


def _sample_points(predictions: Predictions, rng: np.random.Generator) -> tuple[Array, Array]:
    """Sample rows with finite values; return actual and predicted."""
    actual, predicted = predictions.y_true.astype(float), predictions.y_pred.astype(float)
    finite = np.flatnonzero(np.isfinite(actual) & np.isfinite(predicted))
    rows = rng.choice(finite, MAX_POINTS, replace=False) if finite.size > MAX_POINTS else finite
    return actual[rows], predicted[rows]


def _plot_quantiles(axes: Axes, predicted: Array, residual: Array) -> None:
    """Draw the median and the 10-90% range of the residuals in bins of the predictions."""
    order = np.argsort(predicted, kind="stable")
    count = min(MAX_BINS, len(order) // MIN_BIN_ROWS)
    if count < 2 or predicted[order[0]] == predicted[order[-1]]:
        return
    parts = np.array_split(order, count)
    at = [float(np.median(predicted[part])) for part in parts]
    low, middle, high = np.array([np.quantile(residual[part], (0.1, 0.5, 0.9)) for part in parts]).T
    band = axes.fill_between(at, low, high, color=style.COLOURS[1], alpha=0.15, linewidth=0)
    (line,) = axes.plot(at, middle, color=style.COLOURS[1], linewidth=1.5)
    style.add_legend(axes, [line, band], ["median", "80% of rows"], "")
    legend = axes.get_legend()
    if legend is not None:  # beside the histogram
        legend.set_bbox_to_anchor((7.95 / 9.6, 3.8 / 4.6), transform=axes.figure.transSubfigure)


def _plot_points(axes: Axes, x: Array, y: Array) -> None:
    alpha = float(np.clip(400 / len(x), 0.2, 0.7))
    axes.plot(x, y, "o", markersize=3, markeredgewidth=0, alpha=alpha, color=style.COLOURS[0])


def _add_jitter(values: Array, rng: np.random.Generator) -> Array:
    """Add horizontal jitter to a target of few distinct values, whose points would overlap."""
    distinct = np.unique(values)
    if not 2 <= len(distinct) <= 20:
        return values
    shifts: Array = rng.uniform(-0.2, 0.2, len(values)) * np.diff(distinct).min()
    return values + shifts

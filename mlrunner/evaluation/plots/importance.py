"""Permutation importance: computation and plot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlrunner.evaluation.plots import style
from mlrunner.evaluation.predictions import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlrunner.core.column_roles import Task

MAX_BARS = 20  # columns in the plot
MAX_CELLS = 4_000_000  # cells of the permuted tables of one prediction (32 MB of doubles)


@dataclass(frozen=True)
class Importance:
    """Hold the permutation importance of each feature column.

    Args:
        columns: Column names.
        mean: Mean decrease of the metric over the repeats, shape (n_columns,).
        std: Standard deviation over the repeats, shape (n_columns,).
        metric: Name of the metric.
        repeats: Number of permutations of each column.
    """

    columns: list[str]
    mean: Array
    std: Array
    metric: str
    repeats: int


def plot_feature_importance(importance: Importance, subject: str = "") -> Figure | None:
    """Draw the most important columns as bars with their standard deviation."""
    what = f"drop in {importance.metric} when shuffled (mean ± std of {importance.repeats})"
    return _draw_bars(importance.columns, importance.mean, importance.std, ("Feature importance", subject, what))


def plot_contributions(columns: list[str], means: Array, unit: str, subject: str = "") -> Figure | None:
    """Draw the mean absolute SHAP values of the columns as bars.

    Args:
        columns: Column names.
        means: Mean absolute contribution of each column, shape (n_columns,).
        unit: What the contributions are measured in.
        subject: Line below the title.
    """
    return _draw_bars(columns, means, None, ("Contributions", subject, f"mean |SHAP value|, {unit}"))


def _draw_bars(columns: list[str], values: Array, spread: Array | None, texts: tuple[str, str, str]) -> Figure | None:
    """Draw the greatest values as bars; the texts are the title, the line below it, and the label of the axis."""
    order = [k for k in np.argsort(-values, kind="stable") if np.isfinite(values[k])][:MAX_BARS]
    if not order:
        return None
    title, subject, what = texts
    listed = [columns[k] for k in order]
    short, longer = style.short_names(listed, 36), style.short_names(listed, 64)
    names = short if len(set(short)) == len(set(longer)) else longer
    room, height = 0.3 + 0.075 * max(map(len, names)), 0.22 * len(names) + 0.2
    selection = f": top {len(names)} of {len(columns)}" if len(columns) > MAX_BARS else ""
    figure = style.create_figure(f"{title}{selection}", subject, room + 4.6, height + 1.3)
    axes = style.add_axes(figure, (room, 0.6, 4.3, height), what, "")
    bars: dict[str, Any] = {"height": 0.7, "color": style.COLOURS[0], "ecolor": "#333333", "error_kw": {"linewidth": 1}}
    axes.barh(range(len(order)), values[order], xerr=None if spread is None else spread[order], **bars)
    axes.axvline(0, color=style.GREY, linewidth=0.8)
    axes.grid(visible=False, axis="y")
    axes.set_yticks([])
    place: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "fontsize": 8, "ha": "right", "va": "center"}
    for k, name in enumerate(names):  # a text is drawn in a third of the time of a tick label
        axes.text(-0.02, k, name, parse_math=False, **place)
    axes.set_ylim(len(order) - 0.4, -0.6)
    return figure


def compute_permutation_importance(
    estimator: Any,
    features: pd.DataFrame,
    target: pd.Series[Any],
    task: Task,
    seed: int,
    rows: int = 500,
    repeats: int = 3,
) -> Importance:
    """Compute the decrease of r2 or accuracy when the values of one column are permuted.

    The permuted tables are concatenated and predicted together; scikit-learn's function calls `predict` once for each
    repeat and column. Wide tables are evaluated on fewer rows, which bounds the run time.

    Args:
        estimator: Fitted Pipeline.
        features: Feature columns, shape (n_rows, n_columns).
        target: True values, shape (n_rows,).
        task: Regression or classification.
        seed: Seed of the sample of rows and of the permutations.
        rows: Maximum number of rows.
        repeats: Number of permutations of each column.
    """
    rng, width = np.random.default_rng(seed), features.shape[1]
    size = min(len(features), rows, max(50, 10 * MAX_CELLS // (width * width * repeats)))
    positions = np.sort(rng.choice(len(features), size, replace=False))
    sample, actual = features.iloc[positions], target.to_numpy()[positions]
    metric = _r2 if task == "regression" else _accuracy
    base = metric(actual, np.ravel(estimator.predict(sample)))
    group = max(1, MAX_CELLS // (width * repeats * size))
    drops = [
        base - metric(actual, np.ravel(estimator.predict(table)).reshape(-1, repeats, size))
        for table in _permute_columns(sample, repeats, group, rng)
    ]
    decrease = np.concatenate(drops)
    name = "r2" if task == "regression" else "accuracy"
    return Importance([str(c) for c in features.columns], decrease.mean(axis=1), decrease.std(axis=1), name, repeats)


def _permute_columns(
    sample: pd.DataFrame, repeats: int, group: int, rng: np.random.Generator
) -> Iterator[pd.DataFrame]:
    """Yield tables of `repeats` copies of the sample for each of `group` columns, in which that column is permuted."""
    size, width = sample.shape
    for first in range(0, width, group):
        inside = range(first, min(first + group, width))
        straight = np.tile(np.arange(size), len(inside) * repeats)
        orders = {first + k: straight.copy() for k in range(len(inside))}
        for k, order in orders.items():
            start = (k - first) * repeats * size
            order[start : start + repeats * size] = np.concatenate([rng.permutation(size) for _ in range(repeats)])
        columns = {name: sample.iloc[:, k].array.take(orders.get(k, straight)) for k, name in enumerate(sample.columns)}
        yield pd.DataFrame(columns)


def _r2(actual: Array, predicted: Array) -> Any:
    spread = np.var(actual)
    return 1 - ((actual - predicted) ** 2).mean(axis=-1) / (spread if spread > 0 else np.nan)


def _accuracy(actual: Array, predicted: Array) -> Any:
    return (actual == predicted).mean(axis=-1)

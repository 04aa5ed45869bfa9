"""Permutation importance: the computation, and its picture."""

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

MAX_BARS = 20  # columns shown at most
STACKED = 4_000_000  # cells of permuted tables predicted at once (32 MB of doubles)


@dataclass(frozen=True)
class Importance:
    """How much the metric falls when a column is shuffled: one value a column, mean and std over repeats."""

    columns: list[str]
    mean: Array
    std: Array
    metric: str
    repeats: int


def plot_feature_importance(importance: Importance, subject: str = "") -> Figure | None:
    """Draw the columns that matter most, as bars with their standard deviation."""
    order = [k for k in np.argsort(-importance.mean, kind="stable") if np.isfinite(importance.mean[k])][:MAX_BARS]
    if not order:
        return None
    columns = [importance.columns[k] for k in order]
    short, longer = style.short_names(columns, 36), style.short_names(columns, 64)
    names = short if len(set(short)) == len(set(longer)) else longer
    room, height = 0.3 + 0.075 * max(map(len, names)), 0.22 * len(names) + 0.2
    shown = f": top {len(names)} of {len(importance.columns)}" if len(importance.columns) > MAX_BARS else ""
    figure = style.canvas(f"Feature importance{shown}", subject, room + 4.6, height + 1.3)
    what = f"drop in {importance.metric} when shuffled (mean ± std of {importance.repeats})"
    axes = style.add_axes(figure, (room, 0.6, 4.3, height), what, "")
    bars: dict[str, Any] = {
        "height": 0.7,
        "color": style.COLOURS[0],
        "ecolor": "#333333",
        "error_kw": {"linewidth": 1},
    }
    axes.barh(range(len(order)), importance.mean[order], xerr=importance.std[order], **bars)
    axes.axvline(0, color=style.GREY, linewidth=0.8)
    axes.grid(visible=False, axis="y")
    axes.set_yticks([])
    place: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "fontsize": 8, "ha": "right", "va": "center"}
    for k, name in enumerate(names):  # a bare text takes a third of a tick's time
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
    """Measure how much r2 or accuracy falls when one column's values are shuffled among the rows.

    The shuffled tables are stacked and predicted together: scikit-learn's own calls predict repeats x columns
    times. Wide tables get fewer rows, so that the work stays bounded.

    Args:
        estimator: A fitted Pipeline.
        features: Rows by feature columns.
        target: The known answers, row by row.
        task: Regression or classification.
        seed: Chooses the rows and shuffles them.
        rows: Rows at most.
        repeats: Shuffles of each column.
    """
    rng, width = np.random.default_rng(seed), features.shape[1]
    size = min(len(features), rows, max(50, 10 * STACKED // (width * width * repeats)))
    chosen = np.sort(rng.choice(len(features), size, replace=False))
    sample, actual = features.iloc[chosen], target.to_numpy()[chosen]
    metric = _r2 if task == "regression" else _accuracy
    base = metric(actual, np.ravel(estimator.predict(sample)))
    group = max(1, STACKED // (width * repeats * size))
    drops = [
        base - metric(actual, np.ravel(estimator.predict(table)).reshape(-1, repeats, size))
        for table in _shuffled(sample, repeats, group, rng)
    ]
    falls = np.concatenate(drops)
    name = "r2" if task == "regression" else "accuracy"
    return Importance([str(c) for c in features.columns], falls.mean(axis=1), falls.std(axis=1), name, repeats)


def _shuffled(sample: pd.DataFrame, repeats: int, group: int, rng: np.random.Generator) -> Iterator[pd.DataFrame]:
    """Stack, for so many columns at a time, copies of the sample in which one column is shuffled."""
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

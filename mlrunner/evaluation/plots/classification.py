"""The pictures of a classification: confusion matrix, ROC and precision-recall curves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from mlrunner.evaluation.metrics import count_confusion
from mlrunner.evaluation.plots import style
from mlrunner.evaluation.predictions import Array, Predictions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_CURVES = 10  # classes drawn at most in one ROC or PR plot
MAX_CLASSES = 20  # classes shown at most in a confusion matrix
Points = Callable[[Array, Array], tuple[Array, Array, float]]


def plot_confusion_matrix(predictions: Predictions, subject: str = "") -> Figure:
    """Draw the counts of actual by predicted class, shaded by their share of the actual class."""
    known, true, predicted = predictions.codes
    names, counts = _busiest(known, true, predicted)
    with np.errstate(all="ignore"):
        share = np.nan_to_num(counts / counts.sum(axis=1, keepdims=True))
    labels, size = style.short_names(names, 18), len(names)
    side, room = float(np.clip(0.6 * size, 3.2, 6.0)), 0.25 + 0.068 * max(map(len, labels))
    title = f"Confusion matrix: accuracy {np.mean(true == predicted):.3f}"
    figure = style.canvas(title, subject, room + side + 1.5, side + room + 1.1)
    name = style.shorten(predictions.target, 30)
    axes = style.add_axes(figure, (room + 0.3, room + 0.3, side, side), f"predicted {name}", f"actual {name}")
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.grid(visible=False)
    axes.set_xticks(range(size), labels, rotation=90 if max(map(len, labels)) > 3 else 0, parse_math=False)
    axes.set_yticks(range(size), labels, parse_math=False)
    bar = figure.colorbar(image, cax=figure.add_axes(_beside(axes)), ticks=[0, 0.5, 1], format="{x:.0%}")
    bar.set_label("share of the actual class", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    _write_cells(axes, counts, share)
    return figure


def _beside(axes: Axes) -> tuple[float, float, float, float]:
    box = axes.get_position()
    return box.x1 + 0.02, box.y0, 0.025, box.height


def _write_cells(axes: Axes, counts: Array, share: Array) -> None:
    few = len(counts) <= 5
    style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 9 if few else 7}
    for i, j in np.argwhere(counts > 0):
        text = f"{counts[i, j]:,}\n{share[i, j]:.0%}" if few else format_count(int(counts[i, j]))
        axes.text(j, i, text, color="white" if share[i, j] > 0.5 else "black", **style)


def format_count(count: int) -> str:
    """Write a count in at most four characters."""
    if count < 10_000:
        return str(count)
    return f"{count / 1e3:.0f}k" if count < 999_500 else f"{count / 1e6:.3g}M"


def _busiest(labels: list[Any], true: Array, predicted: Array) -> tuple[list[Any], Array]:
    """Count; beyond CELLS classes keep the most frequent and lump the rest."""
    counts = count_confusion(true, predicted, len(labels))
    occurs = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    if len(occurs) <= MAX_CLASSES:
        return [labels[k] for k in occurs], counts[np.ix_(occurs, occurs)]
    keep = np.sort(np.argsort(-counts.sum(axis=1), kind="stable")[: MAX_CLASSES - 1])
    group = np.full(len(labels), MAX_CLASSES - 1)
    group[keep] = np.arange(MAX_CLASSES - 1)
    names = [*(labels[k] for k in keep), f"{len(occurs) - MAX_CLASSES + 1} other classes"]
    return names, count_confusion(group[true], group[predicted], MAX_CLASSES)


def plot_roc(predictions: Predictions, subject: str = "") -> Figure | None:
    """Draw one ROC curve a class: the last class of two, each against the rest of more."""
    names = ("false positive rate", "true positive rate")
    figure = _per_class("ROC curve", "AUC", names, predictions, subject, _roc_points)
    if figure is not None:
        figure.axes[0].axline((0, 0), slope=1, color="#BBBBBB", linewidth=1, zorder=1)  # what chance gives
    return figure


def plot_precision_recall(predictions: Predictions, subject: str = "") -> Figure | None:
    """Draw one precision-recall curve a class, chosen as for `plot_roc`; AP is the average precision."""
    return _per_class("Precision-recall curve", "AP", ("recall", "precision"), predictions, subject, _pr_points)


def _roc_points(hits: Array, alarms: Array) -> tuple[Array, Array, float]:
    x, y = np.append(0, alarms / alarms[-1]), np.append(0, hits / hits[-1])
    return x, y, float(np.trapezoid(y, x))


def _pr_points(hits: Array, alarms: Array) -> tuple[Array, Array, float]:
    precision, recall = hits / (hits + alarms), hits / hits[-1]
    average = float(np.sum(np.diff(recall, prepend=0) * precision))
    return np.append(0, recall), np.append(precision[0], precision), average


def _per_class(
    title: str, score: str, xy: tuple[str, str], predictions: Predictions, subject: str, points: Points
) -> Figure | None:
    """Draw one line a class, its score and name in the legend."""
    curves = _curves(predictions)
    if not curves:
        return None
    binary = predictions.y_proba is not None and predictions.y_proba.shape[1] == 2
    figure = style.canvas(title if binary else f"{title}: each class against the rest", subject, 6.8, 4.9)
    axes = style.add_axes(figure, (0.7, 0.6, 3.5, 3.5), *xy)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    lines: list[Any] = []
    labels: list[str] = []
    for name, positive, scores in curves:
        x, y, area = points(*_steps(positive, scores))
        kept = np.unique(np.linspace(0, len(x) - 1, 300).astype(int))  # no eye sees more
        lines += axes.plot(x[kept], y[kept], **style.line(len(lines)))
        labels.append(f"{area:.3f}  {name}")
    style.legend(axes, lines, labels, f"{score} and class")
    return figure


def _curves(predictions: Predictions) -> list[tuple[str, Array, Array]]:
    """Choose whose curves to draw: name, which rows are of the class, its probability."""
    labels, true, _ = predictions.codes
    if predictions.y_proba is None:
        return []
    columns = predictions.y_proba.shape[1]
    wanted = np.array([1]) if columns == 2 else np.arange(columns)
    sizes = np.array([(true == k).sum() for k in wanted])
    wanted = wanted[(sizes > 0) & (sizes < len(true))]
    sizes = sizes[(sizes > 0) & (sizes < len(true))]
    wanted = np.sort(wanted[np.argsort(-sizes, kind="stable")[:MAX_CURVES]])
    names = style.short_names([labels[k] for k in wanted], 22)
    return [(name, true == k, predictions.y_proba[:, k]) for name, k in zip(names, wanted, strict=True)]


def _steps(positive: Array, scores: Array) -> tuple[Array, Array]:
    """Count true and false positives at each distinct threshold, strictest first."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits = positive[order].cumsum()[ends]
    return hits, ends + 1 - hits

"""Plots of a classification: confusion matrix, ROC and precision-recall curves."""

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

MAX_CURVES = 10  # classes in a ROC or precision-recall plot
MAX_CLASSES = 20  # classes in a confusion matrix
CurveFunction = Callable[[Array, Array], tuple[Array, Array, float]]


def plot_confusion_matrix(predictions: Predictions, subject: str = "") -> Figure:
    """Draw the confusion matrix, shaded by the share of the actual class."""
    all_labels, true, predicted = predictions.codes
    names, counts = _count_frequent(all_labels, true, predicted)
    with np.errstate(all="ignore"):
        share = np.nan_to_num(counts / counts.sum(axis=1, keepdims=True))
    labels, size = style.short_names(names, 18), len(names)
    side, room = float(np.clip(0.6 * size, 3.2, 6.0)), 0.25 + 0.068 * max(map(len, labels))
    title = f"Confusion matrix: accuracy {np.mean(true == predicted):.3f}"
    figure = style.create_figure(title, subject, room + side + 1.5, side + room + 1.1)
    name = style.shorten(predictions.target, 30)
    axes = style.add_axes(figure, (room + 0.3, room + 0.3, side, side), f"predicted {name}", f"actual {name}")
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.grid(visible=False)
    axes.set_xticks(range(size), labels, rotation=90 if max(map(len, labels)) > 3 else 0, parse_math=False)
    axes.set_yticks(range(size), labels, parse_math=False)
    bar = figure.colorbar(image, cax=figure.add_axes(_colorbar_box(axes)), ticks=[0, 0.5, 1], format="{x:.0%}")
    bar.set_label("share of the actual class", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    _write_cells(axes, counts, share)
    return figure


def _colorbar_box(axes: Axes) -> tuple[float, float, float, float]:
    box = axes.get_position()
    return box.x1 + 0.02, box.y0, 0.025, box.height


def _write_cells(axes: Axes, counts: Array, share: Array) -> None:
    few = len(counts) <= 5
    style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 9 if few else 7}
    for i, j in np.argwhere(counts > 0):
        text = f"{counts[i, j]:,}\n{share[i, j]:.0%}" if few else abbreviate_count(int(counts[i, j]))
        axes.text(j, i, text, color="white" if share[i, j] > 0.5 else "black", **style)


def abbreviate_count(count: int) -> str:
    """Write a count in at most four characters."""
    if count < 10_000:
        return str(count)
    return f"{count / 1e3:.0f}k" if count < 999_500 else f"{count / 1e6:.3g}M"


def _count_frequent(labels: list[Any], true: Array, predicted: Array) -> tuple[list[Any], Array]:
    """Count labels; beyond MAX_CLASSES classes, merge the less frequent into one."""
    counts = count_confusion(true, predicted, len(labels))
    occurs = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    if len(occurs) <= MAX_CLASSES:
        return [labels[k] for k in occurs], counts[np.ix_(occurs, occurs)]
    frequent = np.sort(np.argsort(-counts.sum(axis=1), kind="stable")[: MAX_CLASSES - 1])
    group = np.full(len(labels), MAX_CLASSES - 1)
    group[frequent] = np.arange(MAX_CLASSES - 1)
    names = [*(labels[k] for k in frequent), f"{len(occurs) - MAX_CLASSES + 1} other classes"]
    return names, count_confusion(group[true], group[predicted], MAX_CLASSES)


def plot_roc(predictions: Predictions, subject: str = "") -> Figure | None:
    """Draw the ROC curve of the second of two classes, or one-vs-rest curves of more classes."""
    names = ("false positive rate", "true positive rate")
    figure = _plot_curves("ROC curve", "AUC", names, predictions, subject, _compute_roc)
    if figure is not None:
        figure.axes[0].axline((0, 0), slope=1, color="#BBBBBB", linewidth=1, zorder=1)  # a random classifier
    return figure


def plot_precision_recall(predictions: Predictions, subject: str = "") -> Figure | None:
    """Draw precision-recall curves of the same classes as `plot_roc`; AP is the average precision."""
    return _plot_curves(
        "Precision-recall curve", "AP", ("recall", "precision"), predictions, subject, _compute_precision_recall
    )


def _compute_roc(hits: Array, alarms: Array) -> tuple[Array, Array, float]:
    x, y = np.append(0, alarms / alarms[-1]), np.append(0, hits / hits[-1])
    return x, y, float(np.trapezoid(y, x))


def _compute_precision_recall(hits: Array, alarms: Array) -> tuple[Array, Array, float]:
    precision, recall = hits / (hits + alarms), hits / hits[-1]
    average = float(np.sum(np.diff(recall, prepend=0) * precision))
    return np.append(0, recall), np.append(precision[0], precision), average


def _plot_curves(
    title: str, score: str, xy: tuple[str, str], predictions: Predictions, subject: str, points: CurveFunction
) -> Figure | None:
    """Draw one curve a class, with its area and name in the legend."""
    curves = _choose_classes(predictions)
    if not curves:
        return None
    binary = predictions.y_proba is not None and predictions.y_proba.shape[1] == 2
    figure = style.create_figure(title if binary else f"{title}: each class against the rest", subject, 6.8, 4.9)
    axes = style.add_axes(figure, (0.7, 0.6, 3.5, 3.5), *xy)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    lines: list[Any] = []
    labels: list[str] = []
    for name, positive, scores in curves:
        x, y, area = points(*_count_positives(positive, scores))
        sampled = np.unique(np.linspace(0, len(x) - 1, 300).astype(int))  # more points make no visible difference
        lines += axes.plot(x[sampled], y[sampled], **style.choose_line_style(len(lines)))
        labels.append(f"{area:.3f}  {name}")
    style.add_legend(axes, lines, labels, f"{score} and class")
    return figure


def _choose_classes(predictions: Predictions) -> list[tuple[str, Array, Array]]:
    """Choose the most frequent classes; return the name, the mask of positive rows and the scores of each."""
    labels, true, _ = predictions.codes
    if predictions.y_proba is None:
        return []
    columns = predictions.y_proba.shape[1]
    codes = np.array([1]) if columns == 2 else np.arange(columns)
    sizes = np.array([(true == k).sum() for k in codes])
    codes = codes[(sizes > 0) & (sizes < len(true))]
    sizes = sizes[(sizes > 0) & (sizes < len(true))]
    codes = np.sort(codes[np.argsort(-sizes, kind="stable")[:MAX_CURVES]])
    names = style.short_names([labels[k] for k in codes], 22)
    return [(name, true == k, predictions.y_proba[:, k]) for name, k in zip(names, codes, strict=True)]


def _count_positives(positive: Array, scores: Array) -> tuple[Array, Array]:
    """Count true and false positives at each distinct threshold, in descending order."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits = positive[order].cumsum()[ends]
    return hits, ends + 1 - hits

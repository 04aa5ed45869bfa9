"""Plots: the pictures that every run logs, and the two computations that only a picture needs.

Drawn with matplotlib's object interface: pyplot keeps global state, and two trials may draw in two threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlrunner.metrics import (
    Array,
    Predictions,
    before_last,
    confusion,
    log_loss,
    measure,
    unwrap,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mlrunner.roles import Task

# Okabe and Ito's palette for colour-blind readers, without its yellow, which is too faint on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES = ("-", "--", ":")
GREY = "#666666"
POINTS = 3_000  # points drawn at most: more take longer and show no more
LINES = 10  # classes drawn at most in one ROC or PR plot
CELLS = 20  # classes shown at most in a confusion matrix
BARS = 20  # columns shown at most in a feature importance plot
Staged = Callable[[Any], list[Array]]
Points = Callable[[Array, Array], tuple[Array, Array, float]]
KEYWORDS = {"xgboost": "iteration_range", "lightgbm": "num_iteration", "catboost": "ntree_end"}
STACKED = 4_000_000  # cells of permuted tables predicted at once (32 MB of doubles)


@dataclass(frozen=True)
class Importance:
    """How much the metric falls when a column is shuffled: one value a column, mean and std over repeats."""

    columns: list[str]
    mean: Array
    std: Array
    metric: str
    repeats: int


@dataclass(frozen=True)
class LearningCurve:
    """A metric after so many boosting rounds; either side may be unknown."""

    metric: str
    rounds: Array
    train: Array | None
    validation: Array | None


def figures(
    predictions: Predictions,
    task: Task,
    subject: str = "",
    importance: Importance | None = None,
    curve: LearningCurve | None = None,
) -> dict[str, Figure]:
    """Draw every figure that these numbers allow.

    Args:
        predictions: What the model said of one split.
        task: Regression or classification.
        subject: The line under each title: data set (and that it is synthetic), model, split.
        importance: From `permutation_importance`.
        curve: From `learning_curve`.

    Returns:
        Figure by name: a file name without suffix. A figure that would be empty is absent.
    """
    drawn: dict[str, Figure | None] = {}
    if len(predictions.y_true) and task == "regression":
        drawn["predicted_vs_actual"] = predicted_vs_actual(predictions, subject)
    elif len(predictions.y_true):
        drawn["confusion_matrix"] = confusion_matrix(predictions, subject)
        drawn["roc"] = roc(predictions, subject)
        drawn["pr"] = precision_recall(predictions, subject)
    drawn["feature_importance"] = feature_importance(importance, subject) if importance is not None else None
    drawn["learning_curve"] = learning(curve, subject) if curve is not None else None
    return {name: figure for name, figure in drawn.items() if figure is not None}


# --- the one style ------------------------------------------------------------------------------------------


def _figure(title: str, subject: str, width: float, height: float) -> Figure:
    """Make a canvas in inches, with title and subject at the top left, 0.7 inch high."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100, facecolor="white")
    figure.text(0.15 / width, 1 - 0.24 / height, title, fontsize=11, weight="bold", va="center", parse_math=False)
    place: dict[str, Any] = {"fontsize": 8.5, "color": GREY, "va": "center", "parse_math": False}
    figure.text(0.15 / width, 1 - 0.48 / height, shorten(subject, int(width * 14)), **place)
    return figure


def _axes(figure: Figure, box: tuple[float, float, float, float], x: str, y: str) -> Axes:
    """Add axes at (left, bottom, width, height) in inches: no layout engine, which would draw twice."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes((box[0] / width, box[1] / height, box[2] / width, box[3] / height))
    axes.set_xlabel(x, fontsize=9, parse_math=False)
    axes.set_ylabel(y, fontsize=9, parse_math=False)
    axes.tick_params(labelsize=8, color=GREY)
    axes.grid(color="#E6E6E6", linewidth=0.6)
    axes.locator_params(nbins=5)  # each tick costs a text, and texts are most of a figure's time
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _legend(axes: Axes, lines: list[Any], labels: list[str], title: str) -> None:
    """Put the legend beside the axes, where it hides no curve."""
    place: dict[str, Any] = {
        "loc": "upper left",
        "bbox_to_anchor": (1.02, 1.0),
        "frameon": False,
        "borderaxespad": 0,
    }
    legend = axes.legend(lines, labels, title=title, fontsize=8, title_fontsize=8, alignment="left", **place)
    for text in legend.get_texts():
        text.set_parse_math(False)


@lru_cache(maxsize=1)
def _drawable() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())


def shorten(name: Any, length: int) -> str:
    """Cut the middle out of a long name: beginnings and ends tell names apart."""
    # A character that the font lacks would warn at each drawing and come out as an empty box.
    text = "".join(c if ord(c) in _drawable() else "?" for c in " ".join(str(name).split()))
    if len(text) <= length:
        return text
    return f"{text[: length - length // 3 - 1]}…{text[len(text) - length // 3 :]}"


def _names(names: Iterable[Any], length: int) -> list[str]:
    """Shorten names that stand together: when that makes two alike, without the beginning they share."""
    full = [str(name) for name in names]
    cut = [shorten(name, length) for name in full]
    if len(set(cut)) == len(set(full)):
        return cut
    shared = next((k for k, letters in enumerate(zip(*full, strict=False)) if len(set(letters)) > 1), 0)
    return ["…" + shorten(name[shared:], length - 1) for name in full]


# --- regression ---------------------------------------------------------------------------------------------


def predicted_vs_actual(predictions: Predictions, subject: str = "") -> Figure | None:
    """Draw predicted against actual, and residuals against predicted."""
    scores, name = measure(predictions, "regression"), shorten(predictions.target, 30)
    actual, predicted = predictions.y_true.astype(float), predictions.y_pred.astype(float)
    finite = np.flatnonzero(np.isfinite(actual) & np.isfinite(predicted))
    if not finite.size:
        return None
    rng = np.random.default_rng(0)
    rows = rng.choice(finite, POINTS, replace=False) if finite.size > POINTS else finite
    actual, predicted = actual[rows], predicted[rows]
    note = f"{rows.size:,} of {len(predictions.y_true):,} rows drawn"
    title = f"Predicted against actual: R² {scores['r2']:.3f}, RMSE {scores['rmse']:.4g}"
    figure = _figure(title, f"{subject} · {note}" if subject else note, 9.6, 4.6)
    left = _axes(figure, (0.75, 0.6, 3.7, 3.2), f"actual {name}", f"predicted {name}")
    _points(left, _spread(actual, rng), predicted)
    left.axline((float(actual.mean()),) * 2, slope=1, color=COLOURS[1], linewidth=1.2)
    right = _axes(figure, (5.45, 0.6, 3.9, 3.2), f"predicted {name}", "residual (actual - predicted)")
    _points(right, predicted, actual - predicted)
    right.axhline(0, color=COLOURS[1], linewidth=1.2)
    return figure


def _points(axes: Axes, x: Array, y: Array) -> None:
    alpha = float(np.clip(400 / len(x), 0.2, 0.7))
    axes.plot(x, y, "o", markersize=3, markeredgewidth=0, alpha=alpha, color=COLOURS[0])


def _spread(values: Array, rng: np.random.Generator) -> Array:
    """Shift the points of a target with few values sideways, as they would hide one another."""
    distinct = np.unique(values)
    if not 2 <= len(distinct) <= 20:
        return values
    shifts: Array = rng.uniform(-0.2, 0.2, len(values)) * np.diff(distinct).min()
    return values + shifts


# --- classification -----------------------------------------------------------------------------------------


def confusion_matrix(predictions: Predictions, subject: str = "") -> Figure:
    """Draw the counts of actual by predicted class, shaded by their share of the actual class."""
    known, true, predicted = predictions.codes
    names, counts = _busiest(known, true, predicted)
    with np.errstate(all="ignore"):
        share = np.nan_to_num(counts / counts.sum(axis=1, keepdims=True))
    labels, size = _names(names, 18), len(names)
    side, room = float(np.clip(0.6 * size, 3.2, 6.0)), 0.25 + 0.068 * max(map(len, labels))
    title = f"Confusion matrix: accuracy {np.mean(true == predicted):.3f}"
    figure = _figure(title, subject, room + side + 1.5, side + room + 1.1)
    name = shorten(predictions.target, 30)
    axes = _axes(figure, (room + 0.3, room + 0.3, side, side), f"predicted {name}", f"actual {name}")
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
        text = f"{counts[i, j]:,}\n{share[i, j]:.0%}" if few else compact(int(counts[i, j]))
        axes.text(j, i, text, color="white" if share[i, j] > 0.5 else "black", **style)


def compact(count: int) -> str:
    """Write a count in at most four characters."""
    if count < 10_000:
        return str(count)
    return f"{count / 1e3:.0f}k" if count < 999_500 else f"{count / 1e6:.3g}M"


def _busiest(labels: list[Any], true: Array, predicted: Array) -> tuple[list[Any], Array]:
    """Count; beyond CELLS classes keep the most frequent and lump the rest."""
    counts = confusion(true, predicted, len(labels))
    occurs = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    if len(occurs) <= CELLS:
        return [labels[k] for k in occurs], counts[np.ix_(occurs, occurs)]
    keep = np.sort(np.argsort(-counts.sum(axis=1), kind="stable")[: CELLS - 1])
    group = np.full(len(labels), CELLS - 1)
    group[keep] = np.arange(CELLS - 1)
    names = [*(labels[k] for k in keep), f"{len(occurs) - CELLS + 1} other classes"]
    return names, confusion(group[true], group[predicted], CELLS)


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
    wanted = np.sort(wanted[np.argsort(-sizes, kind="stable")[:LINES]])
    names = _names([labels[k] for k in wanted], 22)
    return [(name, true == k, predictions.y_proba[:, k]) for name, k in zip(names, wanted, strict=True)]


def _steps(positive: Array, scores: Array) -> tuple[Array, Array]:
    """Count true and false positives at each distinct threshold, strictest first."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits = positive[order].cumsum()[ends]
    return hits, ends + 1 - hits


def roc(predictions: Predictions, subject: str = "") -> Figure | None:
    """Draw one ROC curve a class: the last class of two, each against the rest of more."""
    names = ("false positive rate", "true positive rate")
    figure = _per_class("ROC curve", "AUC", names, predictions, subject, _roc_points)
    if figure is not None:
        figure.axes[0].axline((0, 0), slope=1, color="#BBBBBB", linewidth=1, zorder=1)  # what chance gives
    return figure


def precision_recall(predictions: Predictions, subject: str = "") -> Figure | None:
    """Draw one precision-recall curve a class, chosen as for `roc`; AP is the average precision."""
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
    figure = _figure(title if binary else f"{title}: each class against the rest", subject, 6.8, 4.9)
    axes = _axes(figure, (0.7, 0.6, 3.5, 3.5), *xy)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    lines: list[Any] = []
    labels: list[str] = []
    for name, positive, scores in curves:
        x, y, area = points(*_steps(positive, scores))
        kept = np.unique(np.linspace(0, len(x) - 1, 300).astype(int))  # no eye sees more
        lines += axes.plot(x[kept], y[kept], **_line(len(lines)))
        labels.append(f"{area:.3f}  {name}")
    _legend(axes, lines, labels, f"{score} and class")
    return figure


def _line(number: int) -> dict[str, Any]:
    style = DASHES[number // len(COLOURS) % len(DASHES)]
    return {"color": COLOURS[number % len(COLOURS)], "linestyle": style, "linewidth": 1.5}


# --- the model ----------------------------------------------------------------------------------------------


def feature_importance(importance: Importance, subject: str = "") -> Figure | None:
    """Draw the columns that matter most, as bars with their standard deviation."""
    order = [k for k in np.argsort(-importance.mean, kind="stable") if np.isfinite(importance.mean[k])][:BARS]
    if not order:
        return None
    names = _names([importance.columns[k] for k in order], 36)
    room, height = 0.3 + 0.075 * max(map(len, names)), 0.22 * len(names) + 0.2
    shown = f": top {len(names)} of {len(importance.columns)}" if len(importance.columns) > BARS else ""
    figure = _figure(f"Feature importance{shown}", subject, room + 4.6, height + 1.3)
    what = f"drop in {importance.metric} when shuffled (mean ± std of {importance.repeats})"
    axes = _axes(figure, (room, 0.6, 4.3, height), what, "")
    bars: dict[str, Any] = {
        "height": 0.7,
        "color": COLOURS[0],
        "ecolor": "#333333",
        "error_kw": {"linewidth": 1},
    }
    axes.barh(range(len(order)), importance.mean[order], xerr=importance.std[order], **bars)
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.grid(visible=False, axis="y")
    axes.set_yticks(range(len(order)), names, parse_math=False)
    axes.set_ylim(len(order) - 0.4, -0.6)
    return figure


def learning(curve: LearningCurve, subject: str = "") -> Figure:
    """Draw the metric of the training and the validation rows by boosting round."""
    figure = _figure("Learning curve", subject, 6.6, 4.2)
    axes = _axes(figure, (0.75, 0.6, 4.4, 2.8), "boosting rounds", curve.metric)
    sides = {"validation": curve.validation, "train": curve.train}
    lines: list[Any] = []
    labels: list[str] = []
    for number, (name, values) in enumerate(sides.items()):
        if values is not None:
            lines += axes.plot(curve.rounds, values, **(_line(number) | {"linestyle": DASHES[number]}))
            labels.append(name)
    _legend(axes, lines, labels, "rows")
    return figure


# --- what the two plots above need --------------------------------------------------------------------------


def permutation_importance(
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


def learning_curve(
    estimator: Any,
    features_train: pd.DataFrame,
    y_train: pd.Series[Any],
    features_validation: pd.DataFrame,
    y_validation: pd.Series[Any],
    task: Task,
    rows: int = 2_000,
    points: int = 20,
) -> LearningCurve | None:
    """Follow a fitted booster's rmse or log loss round by round; None for anything that does not boost.

    What the booster itself recorded while fitting is taken as it is. Otherwise its first rounds, more and
    more of them, predict the first rows of both splits.

    Args:
        estimator: A fitted Pipeline.
        features_train: Rows by feature columns.
        y_train: Their answers.
        features_validation: The same, of rows it did not learn from; may have no row.
        y_validation: Their answers.
        task: Regression or classification.
        rows: Rows at most of each split.
        points: Rounds at most at which to look.
    """
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    recorded = _recorded(unwrap(last))
    if recorded is not None:
        return recorded
    stages = _stages(unwrap(last), points, "predict" if task == "regression" else "predict_proba")
    if stages is None:
        return None
    rounds, staged = stages
    pairs = ((features_train.iloc[:rows], y_train), (features_validation.iloc[:rows], y_validation))
    sides = [_follow(estimator, features, target, staged, task) for features, target in pairs]
    return LearningCurve("rmse" if task == "regression" else "log_loss", rounds, *sides)


def _follow(estimator: Any, features: pd.DataFrame, target: pd.Series[Any], staged: Staged, task: Task) -> Array | None:
    """Measure the loss after each of the rounds; the target may go on after the features end."""
    if len(features) == 0:
        return None
    inputs, last = before_last(estimator, features)
    known = target.to_numpy()[: len(features)]
    return np.array([_loss(last, known, given, task) for given in staged(inputs)])


def _loss(last: Any, known: Array, given: Array, task: Task) -> float:
    if task == "regression":
        return float(np.sqrt(np.mean((known - np.ravel(given)) ** 2)))
    return log_loss(Predictions(known, known, given, np.asarray(last.classes_)))


def _recorded(model: Any) -> LearningCurve | None:
    """Read what the booster wrote down while fitting, if that includes rows it did not learn from."""
    scores = np.asarray(getattr(model, "validation_score_", []))
    if scores.size:  # HistGradientBoosting: greater is better, so a loss is stored negated; round 0 comes first
        scored = "loss" if model.scoring == "loss" else str(model.scoring)
        sign = -1 if scored == "loss" else 1
        return LearningCurve(scored, np.arange(scores.size), sign * np.asarray(model.train_score_), sign * scores)
    record: dict[str, dict[str, list[float]]] = getattr(model, "evals_result_", None) or {}
    sets = [name for name in record if name not in ("learn", "training")]
    if not sets:
        return None
    metric = list(record[sets[-1]])[-1]
    first = next(iter(record))
    train = np.asarray(record[first][metric]) if first != sets[-1] and metric in record[first] else None
    values = np.asarray(record[sets[-1]][metric])
    return LearningCurve(metric, np.arange(1, len(values) + 1), train, values)


def _stages(model: Any, points: int, method: str) -> tuple[Array, Staged] | None:
    """Find the rounds to look at, and how to predict with only so many of them."""
    total = _rounds(model, method)
    if total < 2:
        return None
    rounds = np.unique(np.linspace(1, total, points).astype(int))
    wanted = set(rounds.tolist())

    def predictions(inputs: Any) -> list[Array]:
        keyword = KEYWORDS.get(_library(model))
        if keyword is not None:
            call = getattr(model, method)
            return [call(inputs, **{keyword: (0, k) if keyword == "iteration_range" else k}) for k in rounds]
        stages = enumerate(getattr(model, f"staged_{method}")(inputs), start=1)
        return [given for k, given in stages if k in wanted]

    return rounds, predictions


def _library(model: Any) -> str:
    return type(model).__module__.partition(".")[0]


def _rounds(model: Any, method: str) -> int:
    """Count the rounds that can be looked at one by one; 0 for what does not boost trees."""
    library = _library(model)
    if library == "xgboost":
        return 0 if model.get_params().get("booster") == "gblinear" else model.get_booster().num_boosted_rounds()
    if library == "lightgbm":
        return int(model.booster_.current_iteration())
    if library == "catboost":
        return int(model.tree_count_)
    if not hasattr(model, f"staged_{method}"):
        return 0
    return len(model.estimators_) if hasattr(model, "estimators_") else int(model.n_iter_)

"""What the figures show, what they leave out, and the two computations behind them."""

from __future__ import annotations

import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from mlrunner.evaluation import plots
from mlrunner.evaluation.plots import Importance, LearningCurve
from mlrunner.evaluation.predictions import Predictions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LONG = "the name of a column that goes on and on until nobody can read it any more"


def regression(rows: int = 50, name: str = "price") -> Predictions:
    rng = np.random.default_rng(0)
    y = rng.normal(size=rows)
    return Predictions(y, y + 0.1 * rng.normal(size=rows), target=name)


def classification(classes: list[Any], rows: int = 300, proba: bool = True) -> Predictions:
    """Draw labels, and probabilities that know something of them."""
    rng = np.random.default_rng(0)
    codes = np.arange(rows) % len(classes)
    weights = rng.random((rows, len(classes))) + 2 * np.eye(len(classes))[codes] * rng.random((rows, 1))
    given = weights / weights.sum(axis=1, keepdims=True)
    names = np.array(classes, dtype=object)
    said = names[given.argmax(axis=1)]
    return Predictions(names[codes], said, given if proba else None, names, "grade")


def letters(count: int) -> list[str]:
    return [f"class {k}" for k in range(count)]


def some_importance(columns: int = 4) -> Importance:
    names = [f"column {k}" for k in range(columns)]
    return Importance(names, np.linspace(0, 1, columns), np.full(columns, 0.1), "r2", 3)


def some_curve() -> LearningCurve:
    return LearningCurve("rmse", np.array([1, 5, 9]), np.array([3.0, 2, 1]), np.array([3.0, 2.5, 2.6]))


def texts(figure: Figure) -> list[str]:
    """Read every word on a figure that is drawn."""
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def save(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def legend(figure: Figure) -> list[str]:
    found = figure.axes[0].get_legend()
    assert found is not None
    return [text.get_text() for text in found.get_texts()]


# --- which figures ------------------------------------------------------------------------------------------

CASES: dict[str, tuple[Any, list[str]]] = {
    "regression": (
        lambda: plots.draw_figures(regression(), "regression", "s", some_importance(), some_curve()),
        ["predicted_vs_actual", "residuals", "feature_importance", "learning_curve"],
    ),
    "regression alone": (lambda: plots.draw_figures(regression(), "regression"), ["predicted_vs_actual", "residuals"]),
    "classification": (
        lambda: plots.draw_figures(classification(["n", "y"]), "classification", "s", some_importance(), some_curve()),
        ["confusion_matrix", "roc", "pr", "feature_importance", "learning_curve"],
    ),
    "without probabilities": (
        lambda: plots.draw_figures(classification(["n", "y"], proba=False), "classification"),
        ["confusion_matrix"],
    ),
    "one class": (lambda: plots.draw_figures(classification(["n"]), "classification"), ["confusion_matrix"]),
    "no row": (lambda: plots.draw_figures(Predictions(np.empty(0), np.empty(0)), "regression"), []),
    "no row, classes": (lambda: plots.draw_figures(Predictions(np.empty(0), np.empty(0)), "classification"), []),
    "nothing finite": (
        lambda: plots.draw_figures(Predictions(np.ones(2), np.full(2, np.nan)), "regression"),
        [],
    ),
    "importance unknown": (
        lambda: plots.draw_figures(
            regression(), "regression", importance=Importance(["x"], np.array([np.nan]), np.zeros(1), "r2", 3)
        ),
        ["predicted_vs_actual", "residuals"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_only_figures_with_something_to_show_are_drawn(case: str) -> None:
    draw, names = CASES[case]
    figures = draw()
    assert list(figures) == names
    assert all(save(figure).startswith(b"\x89PNG") for figure in figures.values())


@pytest.mark.parametrize("case", ["regression", "classification"])
def test_every_figure_says_what_it_shows(case: str) -> None:
    for figure in CASES[case][0]().values():
        assert "s" in texts(figure) or any(text.startswith("s · ") for text in texts(figure))
        assert figure.axes[0].get_xlabel()
        assert len(figure.texts) == 2


# --- regression ---------------------------------------------------------------------------------------------


def test_predicted_vs_actual_draws_each_row_twice_and_the_two_ideals() -> None:
    figure = plots.plot_predicted_vs_actual(regression(50))
    assert figure is not None
    left, right = figure.axes
    assert [left.get_xlabel(), left.get_ylabel()] == ["actual price", "predicted price"]
    assert [right.get_xlabel(), right.get_ylabel()] == ["predicted price", "residual (actual - predicted)"]
    assert [len(axes.lines) for axes in figure.axes] == [2, 2]
    x, y = left.lines[0].get_data()
    predicted, residual = right.lines[0].get_data()
    assert np.allclose(np.asarray(residual), np.asarray(x) - np.asarray(y))
    assert np.allclose(np.asarray(predicted), np.asarray(y))
    assert figure.texts[0].get_text().startswith("Predicted against actual: R² 0.988, RMSE 0.1009")


@pytest.mark.parametrize(
    ("scale", "ticks"),
    [
        (1.0, ["-2", "-1", "0", "1", "2"]),
        (1e3, ["-2000", "-1000", "0", "1000", "2000"]),
        (123_456.0, ["-200k", "0", "200k"]),
        (1e6, ["-2M", "-1M", "0", "1M", "2M"]),
    ],
    ids=str,
)
def test_the_numbers_of_large_targets_stay_on_the_canvas(scale: float, ticks: list[str]) -> None:
    small = regression()
    large = Predictions(scale * small.y_true, scale * small.y_pred, target="price")
    for figure in plots.draw_figures(large, "regression").values():
        save(figure)
        box = figure.get_tightbbox()
        assert min(box.x0, box.y0) >= 0
        assert box.x1 <= figure.get_size_inches()[0]
        assert "e+" not in figure.texts[0].get_text()
        low, high = figure.axes[0].get_xlim()
        drawn = [text for text in figure.axes[0].get_xticklabels() if low <= text.get_position()[0] <= high]
        assert [text.get_text().replace("\N{MINUS SIGN}", "-") for text in drawn] == ticks


@pytest.mark.parametrize(("rows", "drawn"), [(50, 50), (plots.MAX_POINTS + 7, plots.MAX_POINTS)])
def test_many_rows_are_sampled_and_that_is_said(rows: int, drawn: int) -> None:
    figure = plots.plot_predicted_vs_actual(regression(rows), "olist")
    assert figure is not None
    assert len(np.asarray(figure.axes[0].lines[0].get_xdata())) == drawn
    assert figure.texts[1].get_text() == f"olist · {drawn:,} of {rows:,} rows drawn"


def test_rows_that_are_not_finite_are_left_out() -> None:
    figure = plots.plot_predicted_vs_actual(Predictions(np.array([1.0, 2, 3]), np.array([1.0, np.inf, 2])))
    assert figure is not None
    assert len(np.asarray(figure.axes[0].lines[0].get_xdata())) == 2


def test_a_target_of_few_values_is_spread_sideways_only() -> None:
    y = np.arange(100) % 5 + 1
    figure = plots.plot_predicted_vs_actual(Predictions(y, np.full(100, 3.0)))
    assert figure is not None
    x = np.asarray(figure.axes[0].lines[0].get_xdata(), float)
    assert np.all(np.abs(x - y) <= 0.2)
    assert len(np.unique(x)) > 50
    assert set(np.asarray(figure.axes[1].lines[0].get_ydata()).tolist()) == {-2, -1, 0, 1, 2}


def residuals_of(predictions: Predictions) -> Any:
    figure = plots.plot_residuals(predictions, "olist")
    assert figure is not None
    return figure


def test_residuals_stand_against_predicted_with_their_middle_and_their_distribution() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.uniform(0, 10, 400)
    figure = residuals_of(Predictions(predicted + np.where(predicted > 5, 1.0, -1.0), predicted, target="price"))
    left, right = figure.axes
    assert [left.get_xlabel(), left.get_ylabel()] == ["predicted price", "residual (actual - predicted)"]
    x, y = left.lines[0].get_data()
    assert np.allclose(np.asarray(y), np.where(np.asarray(x) > 5, 1, -1))
    at, middle = left.lines[1].get_data()
    assert np.allclose(np.sign(np.asarray(middle)), np.sign(np.asarray(at) - 5))
    assert sum(patch.get_width() for patch in right.patches) == 400
    assert left.get_ylim() == right.get_ylim()
    assert legend(figure) == ["median", "80% of rows"]
    assert figure.texts[1].get_text() == "olist · 400 of 400 rows drawn"


@pytest.mark.parametrize("predicted", [np.full(50, 3.0), np.arange(9.0)], ids=["all alike", "few rows"])
def test_residuals_without_a_way_along_the_predictions_have_no_middle(predicted: Any) -> None:
    figure = residuals_of(Predictions(predicted + 1, predicted))
    assert figure.axes[0].get_legend() is None
    assert save(figure)


# --- confusion matrix ---------------------------------------------------------------------------------------


def test_the_confusion_matrix_counts_and_shares() -> None:
    predictions = Predictions(np.array([*"aabbb"]), np.array([*"aabab"]), None, np.array([*"ab"]), "kind")
    figure = plots.plot_confusion_matrix(predictions)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["2\n100%", "1\n33%", "2\n67%"]
    assert np.allclose(np.asarray(axes.images[0].get_array()), np.array([[1, 0], [1 / 3, 2 / 3]]))
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b"]
    assert [axes.get_xlabel(), axes.get_ylabel()] == ["predicted kind", "actual kind"]
    assert "Confusion matrix: accuracy 0.800" in texts(figure)


def test_a_class_unseen_in_training_gets_its_row() -> None:
    predictions = Predictions(np.array([*"az"]), np.array([*"aa"]), None, np.array([*"ab"]))
    labels = [label.get_text() for label in plots.plot_confusion_matrix(predictions).axes[0].get_yticklabels()]
    assert labels == ["a", "z"]


def test_beyond_the_limit_the_rare_classes_are_lumped() -> None:
    names = letters(plots.MAX_CLASSES + 5)
    codes = np.concatenate([np.repeat(np.arange(len(names)), 2), np.arange(plots.MAX_CLASSES - 1)])
    labels = np.array(names, dtype=object)[codes]
    axes = plots.plot_confusion_matrix(Predictions(labels, labels, None, np.array(names, dtype=object))).axes[0]
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert shown == [*names[: plots.MAX_CLASSES - 1], "6 other classes"]
    assert axes.texts[-1].get_text() == "12"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (9_999, "9999"), (10_000, "10k"), (999_499, "999k"), (999_500, "1M"), (12_345_678, "12.3M")],
)
def test_counts_are_written_small(count: int, text: str) -> None:
    assert plots.format_count(count) == text


# --- ROC and PR ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "lines"), [(2, 1), (5, 5), (10, 10), (14, 10)])
def test_one_line_a_class_and_ten_at_most(count: int, lines: int) -> None:
    predictions = classification(letters(count))
    for draw, ideals in ((plots.plot_roc, 1), (plots.plot_precision_recall, 0)):
        figure = draw(predictions)
        assert figure is not None
        assert len(legend(figure)) == lines
        assert len(figure.axes[0].lines) == lines + ideals
        styles = {(line.get_color(), line.get_linestyle()) for line in figure.axes[0].lines[:lines]}
        assert len(styles) == lines


def test_the_scores_in_the_legends_are_sklearns() -> None:
    predictions = classification(letters(3))
    assert predictions.y_proba is not None
    curves, tables = plots.plot_roc(predictions), plots.plot_precision_recall(predictions)
    assert curves is not None
    assert tables is not None
    for k, name in enumerate(letters(3)):
        positive, scores = predictions.y_true == name, predictions.y_proba[:, k]
        assert legend(curves)[k] == f"{roc_auc_score(positive, scores):.3f}  {name}"
        assert legend(tables)[k] == f"{average_precision_score(positive, scores):.3f}  {name}"


def test_ties_move_along_the_diagonal() -> None:
    y = np.array([*"nyny"])
    figure = plots.plot_roc(Predictions(y, y, np.full((4, 2), 0.5), np.array([*"ny"])))
    assert figure is not None
    assert np.asarray(figure.axes[0].lines[0].get_xydata()).tolist() == [[0, 0], [1, 1]]
    assert legend(figure) == ["0.500  y"]


def test_a_class_without_a_row_has_no_line() -> None:
    y, proba = np.array([*"abab"]), np.tile([0.5, 0.3, 0.2], (4, 1))
    figure = plots.plot_roc(Predictions(y, y, proba, np.array([*"abc"])))
    assert figure is not None
    assert len(legend(figure)) == 2


def test_long_curves_are_thinned() -> None:
    figure = plots.plot_roc(classification(["n", "y"], rows=5_000))
    assert figure is not None
    assert len(np.asarray(figure.axes[0].lines[0].get_xdata())) <= 300


# --- importance and learning curve --------------------------------------------------------------------------


def test_feature_importance_draws_the_largest_first() -> None:
    figure = plots.plot_feature_importance(some_importance(30))
    assert figure is not None
    labels = [text.get_text() for text in figure.axes[0].texts]
    assert labels[:2] == ["column 29", "column 28"]
    assert len(labels) == len(figure.axes[0].patches) == plots.MAX_BARS
    assert "Feature importance: top 20 of 30" in texts(figure)
    assert figure.axes[0].get_xlabel() == "drop in r2 when shuffled (mean ± std of 3)"
    lower, upper = figure.axes[0].get_ylim()
    assert lower > upper


def test_features_are_told_apart_by_their_names() -> None:
    names = [
        "price",
        *(f"days_from_order_{what}_to_customer_date" for what in ("delivered_carrier", "delivered_limit")),
    ]
    figure = plots.plot_feature_importance(Importance(names, np.ones(3), np.zeros(3), "r2", 3))
    assert figure is not None
    assert [text.get_text() for text in figure.axes[0].texts] == names


def test_learning_curve_draws_both_sides() -> None:
    figure = plots.plot_learning_curve(some_curve())
    assert legend(figure) == ["held out", "train"]
    assert np.asarray(figure.axes[0].lines[0].get_ydata()).tolist() == [3.0, 2.5, 2.6]
    assert [figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()] == ["boosting rounds", "rmse"]


def test_a_side_that_is_unknown_is_not_drawn() -> None:
    curve = LearningCurve("rmse", np.array([1, 2]), None, np.array([2.0, 1.0]))
    assert legend(plots.plot_learning_curve(curve)) == ["held out"]


# --- names --------------------------------------------------------------------------------------------------

NAMES = {
    "short": ("price", 10, "price"),
    "exact": ("0123456789", 10, "0123456789"),
    "long": ("0123456789abcdef", 10, "012345…def"),
    "number": (3, 10, "3"),
    "line break": ("a\n b", 10, "a b"),
    "no glyph": ("年齢", 10, "??"),
    "money": ("$ per $", 10, "$ per $"),
}


@pytest.mark.parametrize("case", NAMES)
def test_names_are_made_drawable(case: str) -> None:
    name, length, expected = NAMES[case]
    assert plots.shorten(name, length) == expected


@pytest.mark.parametrize("name", [LONG, "_hidden", "$a$ or $\\frac", "年齢", "", "a\nb"], ids=repr)
def test_no_name_breaks_a_figure(name: str) -> None:
    names = [name, f"{name} again"]
    predictions = classification(names)
    figures = plots.draw_figures(
        predictions, "classification", name, Importance(names, np.ones(2), np.ones(2), "r2", 3)
    )
    assert len([save(figure) for figure in figures.values()]) == 4


def test_long_names_that_start_alike_stay_different() -> None:
    figure = plots.plot_roc(classification([f"{LONG} {k} and further and further on" for k in range(4)]))
    assert figure is not None
    assert len({text.partition("  ")[2] for text in legend(figure)}) == 4


@pytest.mark.parametrize("count", [2, 5, 10, 20])
def test_nothing_leaves_the_canvas_or_overlaps(count: int) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    for figure in plots.draw_figures(classification([f"{LONG} {k}" for k in range(count)]), "classification").values():
        canvas: Any = FigureCanvasAgg(figure)
        canvas.draw()
        box = figure.get_tightbbox(canvas.get_renderer())
        width, height = figure.get_size_inches()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height
        ticks = [label.get_window_extent() for label in figure.axes[0].get_xticklabels()]
        assert not any(a.overlaps(b) for a, b in pairwise(ticks))


# --- the house rules ----------------------------------------------------------------------------------------


def test_two_threads_draw_what_one_draws() -> None:
    def draw(_: int) -> list[bytes]:
        drawn = plots.draw_figures(classification(letters(4)), "classification", "s", some_importance(), some_curve())
        return [save(figure) for figure in drawn.values()]

    alone = draw(0)
    with ThreadPoolExecutor(2) as pool:
        assert all(pictures == alone for pictures in pool.map(draw, range(6)))


def test_pyplot_is_never_imported_and_matplotlib_only_to_draw() -> None:
    code = """
import sys, io, numpy as np
from mlrunner.evaluation import plots
from mlrunner.evaluation.predictions import Predictions
assert not {"matplotlib", "sklearn", "xgboost"} & set(sys.modules), "heavy import"
for figure in plots.figures(Predictions(np.arange(9.0), np.ones(9)), "regression").values():
    figure.savefig(io.BytesIO(), format="png")
assert "matplotlib.pyplot" not in sys.modules, "pyplot"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

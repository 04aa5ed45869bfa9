"""Plots of a regression."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlrunner.evaluation import plots
from mlrunner.evaluation.plots.regression import MAX_POINTS
from mlrunner.evaluation.predictions import Predictions
from tests.support.plots import make_regression, read_legend, save_png


def test_predicted_vs_actual_draws_each_row_and_the_ideal_line() -> None:
    predictions = make_regression(50)
    figure = plots.plot_predicted_vs_actual(predictions)
    assert figure is not None
    (axes,) = figure.axes  # residuals have a figure of their own
    assert [axes.get_xlabel(), axes.get_ylabel()] == ["actual price", "predicted price"]
    points, ideal = axes.lines
    x, y = map(np.asarray, points.get_data())
    assert np.allclose(x, predictions.y_true)
    assert np.allclose(y, predictions.y_pred)
    assert ideal.get_slope() == 1  # type: ignore[attr-defined]
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
def test_tick_labels_of_large_targets_fit_the_figure(scale: float, ticks: list[str]) -> None:
    small = make_regression()
    large = Predictions(scale * small.y_true, scale * small.y_pred, target="price")
    for figure in plots.draw_figures(large, "regression").values():
        save_png(figure)
        box = figure.get_tightbbox()
        assert min(box.x0, box.y0) >= 0
        assert box.x1 <= figure.get_size_inches()[0]
        assert "e+" not in figure.texts[0].get_text()
        low, high = figure.axes[0].get_xlim()
        labels = [text for text in figure.axes[0].get_xticklabels() if low <= text.get_position()[0] <= high]
        assert [text.get_text().replace("\N{MINUS SIGN}", "-") for text in labels] == ticks


@pytest.mark.parametrize(("rows", "points"), [(50, 50), (MAX_POINTS + 7, MAX_POINTS)])
def test_many_rows_are_sampled_and_the_subtitle_says_so(rows: int, points: int) -> None:
    figure = plots.plot_predicted_vs_actual(make_regression(rows), "olist")
    assert figure is not None
    assert len(np.asarray(figure.axes[0].lines[0].get_xdata())) == points
    assert figure.texts[1].get_text() == f"olist · {points:,} of {rows:,} rows drawn"


def test_non_finite_rows_are_left_out() -> None:
    figure = plots.plot_predicted_vs_actual(Predictions(np.array([1.0, 2, 3]), np.array([1.0, np.inf, 2])))
    assert figure is not None
    assert len(np.asarray(figure.axes[0].lines[0].get_xdata())) == 2


def test_a_target_of_few_values_gets_horizontal_jitter() -> None:
    y = np.arange(100) % 5 + 1
    figure = plots.plot_predicted_vs_actual(Predictions(y, np.full(100, 3.0)))
    assert figure is not None
    x = np.asarray(figure.axes[0].lines[0].get_xdata(), float)
    assert np.all(np.abs(x - y) <= 0.2)
    assert len(np.unique(x)) > 50
    assert set(np.asarray(figure.axes[0].lines[0].get_ydata()).tolist()) == {3.0}  # predictions are exact


def draw_residuals(predictions: Predictions) -> Any:
    figure = plots.plot_residuals(predictions, "olist")
    assert figure is not None
    return figure


def test_residuals_have_a_running_median_and_a_histogram() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.uniform(0, 10, 400)
    figure = draw_residuals(Predictions(predicted + np.where(predicted > 5, 1.0, -1.0), predicted, target="price"))
    left, right = figure.axes
    assert [left.get_xlabel(), left.get_ylabel()] == ["predicted price", "residual (actual - predicted)"]
    x, y = left.lines[0].get_data()
    assert np.allclose(np.asarray(y), np.where(np.asarray(x) > 5, 1, -1))
    at, middle = left.lines[1].get_data()
    assert np.allclose(np.sign(np.asarray(middle)), np.sign(np.asarray(at) - 5))
    assert sum(patch.get_width() for patch in right.patches) == 400
    assert left.get_ylim() == right.get_ylim()
    assert read_legend(figure) == ["median", "80% of rows"]
    assert figure.texts[1].get_text() == "olist · 400 of 400 rows drawn"


@pytest.mark.parametrize("predicted", [np.full(50, 3.0), np.arange(9.0)], ids=["equal", "few rows"])
def test_residuals_of_equal_or_few_predictions_have_no_median(predicted: Any) -> None:
    figure = draw_residuals(Predictions(predicted + 1, predicted))
    assert figure.axes[0].get_legend() is None
    assert save_png(figure)

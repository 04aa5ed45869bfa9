"""Plots of a classification."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from mlrunner.evaluation import plots
from mlrunner.evaluation.plots import classification
from mlrunner.evaluation.predictions import Predictions
from tests.support.plots import make_classification, name_classes, read_legend, read_texts


def test_the_confusion_matrix_shows_counts_and_shares() -> None:
    predictions = Predictions(np.array([*"aabbb"]), np.array([*"aabab"]), None, np.array([*"ab"]), "kind")
    figure = plots.plot_confusion_matrix(predictions)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["2\n100%", "1\n33%", "2\n67%"]
    assert np.allclose(np.asarray(axes.images[0].get_array()), np.array([[1, 0], [1 / 3, 2 / 3]]))
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b"]
    assert [axes.get_xlabel(), axes.get_ylabel()] == ["predicted kind", "actual kind"]
    assert "Confusion matrix: accuracy 0.800" in read_texts(figure)


def test_a_class_unseen_in_training_has_a_row() -> None:
    predictions = Predictions(np.array([*"az"]), np.array([*"aa"]), None, np.array([*"ab"]))
    labels = [label.get_text() for label in plots.plot_confusion_matrix(predictions).axes[0].get_yticklabels()]
    assert labels == ["a", "z"]


def test_beyond_the_limit_rare_classes_are_merged() -> None:
    names = name_classes(classification.MAX_CLASSES + 5)
    codes = np.concatenate([np.repeat(np.arange(len(names)), 2), np.arange(classification.MAX_CLASSES - 1)])
    labels = np.array(names, dtype=object)[codes]
    axes = plots.plot_confusion_matrix(Predictions(labels, labels, None, np.array(names, dtype=object))).axes[0]
    labels_shown = [label.get_text() for label in axes.get_yticklabels()]
    assert labels_shown == [*names[: classification.MAX_CLASSES - 1], "6 other classes"]
    assert axes.texts[-1].get_text() == "12"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (9_999, "9999"), (10_000, "10k"), (999_499, "999k"), (999_500, "1M"), (12_345_678, "12.3M")],
)
def test_counts_have_at_most_four_characters_or_a_unit(count: int, text: str) -> None:
    assert classification.abbreviate_count(count) == text


@pytest.mark.parametrize(("count", "lines"), [(2, 1), (5, 5), (10, 10), (14, 10)])
def test_there_is_one_line_a_class_and_at_most_ten(count: int, lines: int) -> None:
    predictions = make_classification(name_classes(count))
    for draw, ideals in ((plots.plot_roc, 1), (plots.plot_precision_recall, 0)):
        figure = draw(predictions)
        assert figure is not None
        assert len(read_legend(figure)) == lines
        assert len(figure.axes[0].lines) == lines + ideals
        styles = {(line.get_color(), line.get_linestyle()) for line in figure.axes[0].lines[:lines]}
        assert len(styles) == lines


def test_the_areas_in_the_legend_equal_those_of_sklearn() -> None:
    predictions = make_classification(name_classes(3))
    assert predictions.y_proba is not None
    curves, tables = plots.plot_roc(predictions), plots.plot_precision_recall(predictions)
    assert curves is not None
    assert tables is not None
    for k, name in enumerate(name_classes(3)):
        positive, scores = predictions.y_true == name, predictions.y_proba[:, k]
        assert read_legend(curves)[k] == f"{roc_auc_score(positive, scores):.3f}  {name}"
        assert read_legend(tables)[k] == f"{average_precision_score(positive, scores):.3f}  {name}"


def test_tied_scores_give_a_diagonal() -> None:
    y = np.array([*"nyny"])
    figure = plots.plot_roc(Predictions(y, y, np.full((4, 2), 0.5), np.array([*"ny"])))
    assert figure is not None
    assert np.asarray(figure.axes[0].lines[0].get_xydata()).tolist() == [[0, 0], [1, 1]]
    assert read_legend(figure) == ["0.500  y"]


def test_a_class_without_rows_has_no_line() -> None:
    y, proba = np.array([*"abab"]), np.tile([0.5, 0.3, 0.2], (4, 1))
    figure = plots.plot_roc(Predictions(y, y, proba, np.array([*"abc"])))
    assert figure is not None
    assert len(read_legend(figure)) == 2


def test_long_curves_are_sampled() -> None:
    figure = plots.plot_roc(make_classification(["n", "y"], rows=5_000))
    assert figure is not None
    assert len(np.asarray(figure.axes[0].lines[0].get_xdata())) <= 300

"""All plots of a run."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from mlrunner.evaluation import plots
from mlrunner.evaluation.plots import Importance
from mlrunner.evaluation.predictions import Predictions
from tests.support.plots import (
    make_classification,
    make_curve,
    make_importance,
    make_regression,
    name_classes,
    read_texts,
    save_png,
)

CASES: dict[str, tuple[Any, list[str]]] = {
    "regression": (
        lambda: plots.draw_figures(make_regression(), "regression", "s", make_importance(), make_curve()),
        ["predicted_vs_actual", "residuals", "feature_importance", "learning_curve"],
    ),
    "regression alone": (
        lambda: plots.draw_figures(make_regression(), "regression"),
        ["predicted_vs_actual", "residuals"],
    ),
    "classification": (
        lambda: plots.draw_figures(
            make_classification(["n", "y"]), "classification", "s", make_importance(), make_curve()
        ),
        ["confusion_matrix", "roc", "pr", "feature_importance", "learning_curve"],
    ),
    "without probabilities": (
        lambda: plots.draw_figures(make_classification(["n", "y"], proba=False), "classification"),
        ["confusion_matrix"],
    ),
    "one class": (lambda: plots.draw_figures(make_classification(["n"]), "classification"), ["confusion_matrix"]),
    "no row": (lambda: plots.draw_figures(Predictions(np.empty(0), np.empty(0)), "regression"), []),
    "no row, classes": (lambda: plots.draw_figures(Predictions(np.empty(0), np.empty(0)), "classification"), []),
    "nothing finite": (lambda: plots.draw_figures(Predictions(np.ones(2), np.full(2, np.nan)), "regression"), []),
    "importance unknown": (
        lambda: plots.draw_figures(
            make_regression(), "regression", importance=Importance(["x"], np.array([np.nan]), np.zeros(1), "r2", 3)
        ),
        ["predicted_vs_actual", "residuals"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_empty_plots_are_omitted(case: str) -> None:
    draw, names = CASES[case]
    figures = draw()
    assert list(figures) == names
    assert all(save_png(figure).startswith(b"\x89PNG") for figure in figures.values())


@pytest.mark.parametrize("case", ["regression", "classification"])
def test_every_figure_has_title_subject_and_axis_label(case: str) -> None:
    for figure in CASES[case][0]().values():
        assert "s" in read_texts(figure) or any(text.startswith("s · ") for text in read_texts(figure))
        assert figure.axes[0].get_xlabel()
        assert len(figure.texts) == 2


def test_two_threads_draw_the_same_figures_as_one() -> None:
    def draw(_: int) -> list[bytes]:
        figures = plots.draw_figures(
            make_classification(name_classes(4)), "classification", "s", make_importance(), make_curve()
        )
        return [save_png(figure) for figure in figures.values()]

    alone = draw(0)
    with ThreadPoolExecutor(2) as pool:
        assert all(images == alone for images in pool.map(draw, range(2)))


def test_pyplot_is_not_imported_and_matplotlib_only_to_draw() -> None:
    code = """
import sys, io, numpy as np
from mlrunner.evaluation import plots
from mlrunner.evaluation.predictions import Predictions
assert not {"matplotlib", "sklearn", "xgboost"} & set(sys.modules), "heavy import"
for figure in plots.draw_figures(Predictions(np.arange(9.0), np.ones(9)), "regression").values():
    figure.savefig(io.BytesIO(), format="png")
assert "matplotlib.pyplot" not in sys.modules, "pyplot"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

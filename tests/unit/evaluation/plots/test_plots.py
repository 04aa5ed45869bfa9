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
    read_texts,
    save_png,
)

WHOLE = ("s", make_importance(), make_curve())
NAN_IMPORTANCE = Importance(["x"], np.array([np.nan]), np.zeros(1), "r2", 3)
BINARY, WITHOUT = make_classification(["n", "y"]), make_classification(["n", "y"], proba=False)
NO_ROW, NOT_FINITE = Predictions(np.empty(0), np.empty(0)), Predictions(np.ones(2), np.full(2, np.nan))
RESIDUALS, LEARNING = ["predicted_vs_actual", "residuals"], ["feature_importance", "learning_curve"]
CASES: dict[str, tuple[Predictions, Any, tuple[Any, ...], list[str]]] = {
    "regression": (make_regression(), "regression", WHOLE, [*RESIDUALS, *LEARNING]),
    "classification": (BINARY, "classification", WHOLE, ["confusion_matrix", "roc", "pr", *LEARNING]),
    "without probabilities": (WITHOUT, "classification", (), ["confusion_matrix"]),
    "one class": (make_classification(["n"]), "classification", (), ["confusion_matrix"]),
    "no row": (NO_ROW, "regression", (), []),
    "no row, classes": (NO_ROW, "classification", (), []),
    "nothing finite": (NOT_FINITE, "regression", (), []),
    "importance unknown": (make_regression(), "regression", ("s", NAN_IMPORTANCE), RESIDUALS),
}


@pytest.mark.parametrize("case", CASES)
def test_empty_plots_are_omitted_and_the_others_have_title_subject_and_label(case: str) -> None:
    predictions, task, more, names = CASES[case]
    figures = plots.draw_figures(predictions, task, *more)
    assert list(figures) == names
    for figure in figures.values():
        assert save_png(figure).startswith(b"\x89PNG")
        assert figure.axes[0].get_xlabel()
        if more:
            assert len(figure.texts) == 2
            assert any(text == "s" or text.startswith("s · ") for text in read_texts(figure))


def test_two_threads_draw_the_same_figures_as_one() -> None:
    def draw(_: int) -> list[bytes]:
        return [save_png(figure) for figure in plots.draw_figures(make_regression(), "regression", "s").values()]

    alone = draw(0)
    with ThreadPoolExecutor(2) as pool:
        assert all(images == alone for images in pool.map(draw, range(2)))


@pytest.mark.slow
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

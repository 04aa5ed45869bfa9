"""The state of matplotlib and of the study after Optuna's plots."""

from __future__ import annotations

from typing import Any

import pytest

from mlrunner.evaluation.plots import optuna_figures
from mlrunner.evaluation.plots.search import draw_search_figures
from tests.support.studies import compute_square, run_study


def test_study_and_matplotlib_are_not_modified() -> None:
    import matplotlib as mpl
    from matplotlib import pyplot

    study, mine = run_study(compute_square, 9), pyplot.figure()
    study_before, mpl_before = [repr(trial) for trial in study.trials], dict(mpl.rcParams)
    draw_search_figures(study, ["rmse"])
    assert [repr(trial) for trial in study.trials] == study_before
    assert dict(mpl.rcParams) == mpl_before
    assert pyplot.get_fignums() == [mine.number]  # type: ignore[attr-defined]
    pyplot.close(mine)


def test_a_failing_plot_leaves_no_open_figure() -> None:
    from matplotlib import pyplot

    def plot() -> Any:
        pyplot.style.use("ggplot")
        pyplot.figure()
        raise ZeroDivisionError

    before = dict(pyplot.rcParams)
    with pytest.raises(ZeroDivisionError):
        optuna_figures.draw_plot(plot, "title", (1, 1))
    assert pyplot.get_fignums() == []
    assert dict(pyplot.rcParams) == before

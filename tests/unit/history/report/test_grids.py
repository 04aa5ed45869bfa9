"""Figures of a grid."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlrunner.core.outcome import Outcome
from mlrunner.history.report import grids
from mlrunner.history.report.captions import SEARCH
from mlrunner.history.report.page import make_page
from tests.support.reports import SWEEP, make_grid, make_outcome


def make_job(folder: Path, number: int, value: float, *overrides: str, **more: Any) -> Outcome:
    """Leave the folder of a composition of a grid behind."""
    place = folder / str(number)
    (place / ".hydra").mkdir(parents=True)
    (place / grids.OVERRIDES).write_text(json.dumps(list(overrides)))
    return make_outcome(number, value, folder=str(place), **more)


@pytest.mark.slow
def test_figures_of_a_grid(tmp_path: Path) -> None:
    pairs = [(0.01, "80_20"), (0.1, "80_20"), (10, "70_15_15"), (1.0, "70_15_15")]
    outcomes = [
        make_job(tmp_path, k, 0.1 * k, "seed=1", f"+model.alpha={alpha}", f"split={split}", "hydra.verbose=true")
        for k, (alpha, split) in enumerate(pairs)
    ]
    broke = make_job(tmp_path, 4, math.nan, "seed=1", "+model.alpha=2", "split=kfold", error="no", status="FAILED")
    content = replace(make_grid(tmp_path, []), figures=grids.draw_grid(SWEEP, [broke, *outcomes], {"r2": "maximize"}))
    page = make_page(content)
    assert [picture.name for picture in page.search] == list(SEARCH)[:1] + list(SEARCH)[2:]
    assert [entry.title for entry in page.contents if entry.name == "search"] == ["The grid"]
    history, slices = (content.figures[name] for name in ("optimization_history", "slices"))
    title = f"Optimization history: best r2 0.3, trial 3\n{SWEEP}: 4 complete, 1 failed"
    assert history.get_suptitle() == title
    axes = {axis.get_xlabel(): axis for axis in slices.axes if axis.get_xlabel()}
    assert {name: axis.get_xscale() for name, axis in axes.items()} == {"alpha": "log", "split": "linear"}
    assert [text.get_text() for text in axes["split"].get_xticklabels()] == ["'80_20'", "'70_15_15'"]


@pytest.mark.parametrize("count", [3, 4])
def test_small_grid_or_missing_folders_have_no_figures(count: int, tmp_path: Path) -> None:
    outcomes = [make_job(tmp_path, k, 0.1, f"x={k}") for k in range(3)] + [make_outcome(3), make_outcome(4)][
        : count - 2
    ]
    assert grids.draw_grid(SWEEP, outcomes, {"r2": "maximize"}) == {}

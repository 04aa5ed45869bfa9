"""Names, numbers and axis limits of all plots."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from mlrunner.evaluation import plots
from mlrunner.evaluation.plots import Importance, style
from tests.support.plots import LONG_NAME, make_classification, read_legend, save_png

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
def test_names_are_shortened_and_unsupported_characters_replaced(case: str) -> None:
    name, length, expected = NAMES[case]
    assert style.shorten(name, length) == expected


def test_no_name_breaks_a_figure() -> None:
    names = [LONG_NAME, "_hidden", "$a$ or $\\frac", "年齢", "", "a\nb"]
    shown = Importance(names, np.ones(6), np.ones(6), "r2", 3)
    figures = plots.draw_figures(make_classification(names), "classification", " ".join(names[1:]), shown)
    assert len([save_png(figure) for figure in figures.values()]) == 4


def test_long_names_that_start_alike_stay_different() -> None:
    figure = plots.plot_roc(make_classification([f"{LONG_NAME} {k} and further and further on" for k in range(4)]))
    assert figure is not None
    assert len({text.partition("  ")[2] for text in read_legend(figure)}) == 4


@pytest.mark.parametrize("count", [2, 20])
def test_no_text_leaves_the_figure_or_overlaps(count: int) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    for figure in plots.draw_figures(
        make_classification([f"{LONG_NAME} {k}" for k in range(count)]), "classification"
    ).values():
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


def test_line_styles_differ_when_the_colours_repeat() -> None:
    styles = [style.choose_line_style(index) for index in range(2 * len(style.COLOURS))]
    assert len({(line["color"], line["linestyle"]) for line in styles}) == len(styles)


@pytest.mark.parametrize("sign", [1, -1])
def test_axis_limits_leave_out_extremely_bad_values(sign: int) -> None:
    values = sign * np.array([*np.linspace(1, 2, 30), 1e6])
    low, high = sorted(abs(end) for end in style.choose_axis_limits(values, sign))
    assert (0.5 < low < 1, 2 < high < 4) == (True, True)
    assert style.describe_outliers(values, style.choose_axis_limits(values, sign)) == "; 1 beyond the axis"


def test_axis_limits_of_equal_values_are_not_empty() -> None:
    low, high = style.choose_axis_limits(np.full(5, 3.0), 1)
    assert low < 3 < high

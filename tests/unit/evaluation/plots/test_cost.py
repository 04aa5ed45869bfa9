"""Plot of seconds against scores, and its Pareto front."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import pytest

from mlrunner.evaluation.plots import Costs, plot_cost_against_score
from mlrunner.evaluation.plots.cost import MAX_GROUPS, find_pareto_front


def draw(seconds: list[float], values: list[float], groups: list[str] | None = None, more: bool = True) -> Any:
    figure = plot_cost_against_score(Costs(seconds, values, groups or [""] * len(values), "r2", more), "a sweep")
    assert figure is not None
    figure.savefig(io.BytesIO(), format="png")
    return figure


def legend(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


@pytest.mark.parametrize(
    ("seconds", "values", "sign", "front"),
    [
        ([1, 2, 3], [0.1, 0.3, 0.2], -1, [True, True, False]),
        ([1, 2, 3], [0.1, 0.3, 0.2], 1, [True, False, False]),
        ([1, 1, 1], [0.1, 0.3, 0.2], -1, [False, True, False]),
        ([3, 2, 1], [0.5, 0.5, 0.5], -1, [False, False, True]),
        ([1, 1], [0.5, 0.5], -1, [True, False]),
    ],
)
def test_the_front_has_the_trials_that_are_not_dominated(
    seconds: list[float], values: list[float], sign: int, front: list[bool]
) -> None:
    assert find_pareto_front(np.array(seconds, dtype=float), np.array(values), sign).tolist() == front


def test_the_front_agrees_with_comparing_every_pair() -> None:
    rng = np.random.default_rng(0)
    seconds, values = rng.integers(0, 12, 200).astype(float), rng.integers(0, 12, 200).astype(float)
    front = find_pareto_front(seconds, values, 1)
    for k in range(200):
        is_dominated = (seconds <= seconds[k]) & (values <= values[k]) & ((seconds < seconds[k]) | (values < values[k]))
        assert not (front[k] and is_dominated.any())
        assert front[(seconds == seconds[k]) & (values == values[k])].any() == (not is_dominated.any())


def test_groups_have_colours_and_the_front_a_line() -> None:
    figure = draw([1, 2, 3, 4], [0.1, 0.3, 0.2, 0.4], ["rf", "ridge", "rf", "ridge"])
    (axes,) = figure.axes
    assert legend(figure) == ["none is faster and better", "rf", "ridge"]
    step, rings, rf, ridge = axes.lines
    assert rings.get_xdata().tolist() == [1, 2, 4]
    assert step.get_ydata().tolist() == [0.1, 0.3, 0.4, 0.4]
    assert (rf.get_xdata().tolist(), ridge.get_xdata().tolist()) == ([1, 3], [2, 4])
    assert rf.get_color() != ridge.get_color() != step.get_color()
    assert figure.texts[0].get_text() == "Cost against score: 3 of 4 are unbeaten"
    assert [axes.get_xlabel(), axes.get_ylabel()] == ["seconds of fit", "r2"]


def test_a_wide_range_is_logarithmic_with_decimal_labels() -> None:
    axes = draw([0.004, 1, 30], [0.1, 0.2, 0.3]).axes[0]
    assert axes.get_xscale() == "log"
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert len(labels) >= 3
    assert all(float(text) > 0 for text in labels)
    assert draw([1, 2], [0.1, 0.2]).axes[0].get_xscale() == "linear"
    assert draw([0, 30], [0.1, 0.2]).axes[0].get_xscale() == "linear"


def test_many_groups_share_a_colour() -> None:
    count = MAX_GROUPS + 4
    figure = draw([1.0] * count, [*range(count)], [f"model {k}" for k in range(count)])
    assert len(legend(figure)) == 1 + MAX_GROUPS
    assert legend(figure)[-1] == "5 others"


@pytest.mark.parametrize("values", [[0.1], [0.1, math.nan], []])
def test_fewer_than_two_points_are_not_drawn(values: list[float]) -> None:
    assert plot_cost_against_score(Costs([1.0] * len(values), values, [""] * len(values), "r2", True)) is None


@pytest.mark.parametrize(
    ("seconds", "values"), [([0, 0], [1, 1]), ([1, 1], [0.5, 0.5]), ([1e-9, 1e9], [-1e300, 1e300])]
)
def test_any_numbers_can_be_draw(seconds: list[float], values: list[float]) -> None:
    assert draw(seconds, values)


def test_special_characters_in_names_are_kept() -> None:
    figure = draw([1, 2], [0.1, 0.2], ["$x$ </svg><script>", "_hidden\nline"])
    assert legend(figure)[1:] == ["$x$ </svg><script>", "_hidden line"]

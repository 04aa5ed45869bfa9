"""Plot of the seconds of trials against their scores, with the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlrunner.evaluation.plots import style
from mlrunner.evaluation.predictions import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOG_SCALE_RATIO = 10  # longest to shortest trial; from here on the axis of seconds is logarithmic
MAX_GROUPS = 12  # groups with a colour of their own; the rest share one
TICK_STEPS = (1.0, 2.0, 5.0)
FRONT_COLOUR = style.COLOURS[1]
GROUP_COLOURS = (style.COLOURS[0], *style.COLOURS[2:])  # orange is reserved for the front


@dataclass(frozen=True)
class Costs:
    """Hold the time and the score of complete trials, one entry a trial.

    Args:
        seconds: Duration of the fit, or of the trial.
        values: Value of the first objective.
        groups: Group of each trial, such as its model.
        metric: Name of the objective.
        greater_is_better: Whether greater values of the objective are better.
        what: Label of the axis of seconds.
    """

    seconds: Sequence[float]
    values: Sequence[float]
    groups: Sequence[str]
    metric: str
    greater_is_better: bool
    what: str = "seconds of fit"


def find_pareto_front(seconds: Array, values: Array, sign: int) -> Array:
    """Find the trials for which no other trial is as fast and better, or as good and faster.

    Args:
        seconds: Duration of each trial, shape (n_trials,).
        values: Objective of each trial, shape (n_trials,).
        sign: -1 when greater values are better, else 1.

    Returns:
        Boolean mask, shape (n_trials,).
    """
    losses = sign * values
    front, best = np.zeros(len(losses), dtype=bool), np.inf
    for k in np.lexsort((losses, seconds)):
        if losses[k] < best:
            front[k], best = True, losses[k]
    return front


def plot_cost_against_score(costs: Costs, subject: str = "") -> Figure | None:
    """Draw one point a trial; return None when fewer than two trials have finite seconds and score."""
    seconds, values = np.asarray(costs.seconds, dtype=float), np.asarray(costs.values, dtype=float)
    finite = np.isfinite(seconds) & np.isfinite(values)
    if finite.sum() < 2:
        return None
    seconds, values = seconds[finite], values[finite]
    groups = [group for group, is_finite in zip(costs.groups, finite, strict=True) if is_finite]
    sign = -1 if costs.greater_is_better else 1
    front, limits = find_pareto_front(seconds, values, sign), style.choose_axis_limits(values, sign)
    title = f"Cost against score: {front.sum():,} of {len(values):,} are unbeaten"
    figure = style.create_figure(title, f"{subject}{style.describe_outliers(values, limits)}", 8.6, 4.2)
    metric = style.shorten(costs.metric, 30)
    axes = style.add_axes(figure, (0.85, 0.6, 5.8, 2.8), costs.what, metric)
    _scale_seconds(axes, seconds)
    axes.set(ylim=limits)
    handles = _plot_front(axes, seconds[front], values[front], sign) | _plot_groups(axes, seconds, values, groups)
    style.add_legend(axes, [*handles.values()], [*handles], "")
    return figure


def _plot_front(axes: Axes, seconds: Array, values: Array, sign: int) -> dict[str, Any]:
    """Draw the Pareto front as steps: the best score within each time."""
    order = np.argsort(seconds, kind="stable")
    x, y = [*seconds[order], axes.get_xlim()[1]], [*values[order], sign * (sign * values).min()]
    axes.step(x, y, where="post", color=FRONT_COLOUR, linewidth=1.0, zorder=1.5)
    rings: dict[str, Any] = {"markerfacecolor": "none", "markeredgecolor": FRONT_COLOUR, "markeredgewidth": 1.4}
    return {"none is faster and better": axes.plot(seconds, values, "o", markersize=8, zorder=3, **rings)[0]}


def _plot_groups(axes: Axes, seconds: Array, values: Array, groups: list[str]) -> dict[str, Any]:
    """Draw the trials of each group in its colour."""
    names = list(dict.fromkeys(groups))
    named = names if len(names) <= MAX_GROUPS else names[: MAX_GROUPS - 1]
    labels = np.array([group if group in named else f"{len(names) - len(named)} others" for group in groups])
    distinct = dict.fromkeys(labels.tolist())
    dots: dict[str, Any] = {"markersize": 4.5, "markeredgewidth": 0, "zorder": 2}
    dots["alpha"] = float(np.clip(400 / len(groups), 0.3, 0.85))
    handles = {}
    for number, (name, short) in enumerate(zip(distinct, style.short_names(distinct, 24), strict=True)):
        is_member = labels == name
        colour = GROUP_COLOURS[number % len(GROUP_COLOURS)]
        handles[short or "trial"] = axes.plot(
            seconds[is_member], values[is_member], "oDs^v"[number // 6 % 5], color=colour, **dots
        )[0]
    return handles


def _scale_seconds(axes: Axes, seconds: Array) -> None:
    """Scale the axis of seconds, with decimal tick labels: matplotlib labels a logarithmic axis with powers."""
    low, high = float(seconds.min()), float(seconds.max())
    if low > 0 and high / low >= LOG_SCALE_RATIO:
        axes.set(xscale="log", xlim=(low / 1.25, high * 1.25))
        steps = [step * 10.0**power for power in range(-9, 10) for step in TICK_STEPS]
        ticks = [step for step in steps if low / 1.25 <= step <= high * 1.25]
        ticks = ticks[:: 1 + len(ticks) // 8]
        axes.minorticks_off()
        axes.set_xticks(ticks, [f"{tick:,.6g}" for tick in ticks], parse_math=False)
    else:
        pad = 0.05 * (high - low) or 0.1 * high or 1.0
        axes.set(xlim=(max(0.0, low - pad), high + pad))

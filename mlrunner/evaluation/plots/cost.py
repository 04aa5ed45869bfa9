"""The picture of what trials cost: their seconds against their score, and those that none beats in both."""

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

WIDE = 10  # from this ratio on, the seconds stand on a logarithmic axis
LEGEND = 12  # groups that are told apart by colour; the rest are one
STEPS = (1.0, 2.0, 5.0)
BEST = style.COLOURS[1]
OTHERS = (style.COLOURS[0], *style.COLOURS[2:])  # the front has the orange to itself


@dataclass(frozen=True)
class Costs:
    """What complete trials took and reached, an entry a trial.

    Args:
        seconds: Of the estimator's own fit, or of the whole.
        values: Of the first objective.
        groups: What a trial is told apart by, such as its model.
        metric: The objective's name.
        greater_is_better: Which way it improves.
        what: Says which seconds they are.
    """

    seconds: Sequence[float]
    values: Sequence[float]
    groups: Sequence[str]
    metric: str
    greater_is_better: bool
    what: str = "seconds of fit"


def find_pareto_front(seconds: Array, values: Array, sign: int) -> Array:
    """Mark the trials that no other beats in both: none is as fast and better, or as good and faster.

    Args:
        seconds: Less is better.
        values: Of the objective.
        sign: -1 where more is better.
    """
    losses = sign * values
    front, best = np.zeros(len(losses), dtype=bool), np.inf
    for k in np.lexsort((losses, seconds)):
        if losses[k] < best:
            front[k], best = True, losses[k]
    return front


def plot_cost_against_score(costs: Costs, subject: str = "") -> Figure | None:
    """Draw one point a trial; None where fewer than two have both numbers."""
    seconds, values = np.asarray(costs.seconds, dtype=float), np.asarray(costs.values, dtype=float)
    kept = np.isfinite(seconds) & np.isfinite(values)
    if kept.sum() < 2:
        return None
    seconds, values = seconds[kept], values[kept]
    groups = [group for group, is_kept in zip(costs.groups, kept, strict=True) if is_kept]
    sign = -1 if costs.greater_is_better else 1
    front, view = find_pareto_front(seconds, values, sign), style.view_of(values, sign)
    title = f"Cost against score: {front.sum():,} of {len(values):,} are unbeaten"
    figure = style.canvas(title, f"{subject}{style.beyond(values, view)}", 8.6, 4.2)
    metric = style.shorten(costs.metric, 30)
    axes = style.add_axes(figure, (0.85, 0.6, 5.8, 2.8), costs.what, metric)
    _seconds_axis(axes, seconds)
    axes.set(ylim=view)
    drawn = _front(axes, seconds[front], values[front], sign) | _groups(axes, seconds, values, groups)
    style.legend(axes, [*drawn.values()], [*drawn], "")
    return figure


def _front(axes: Axes, seconds: Array, values: Array, sign: int) -> dict[str, Any]:
    """Join what is unbeaten by steps: the best that can be had in so many seconds."""
    order = np.argsort(seconds, kind="stable")
    x, y = [*seconds[order], axes.get_xlim()[1]], [*values[order], sign * (sign * values).min()]
    axes.step(x, y, where="post", color=BEST, linewidth=1.0, zorder=1.5)
    rings: dict[str, Any] = {"markerfacecolor": "none", "markeredgecolor": BEST, "markeredgewidth": 1.4}
    return {"none is faster and better": axes.plot(seconds, values, "o", markersize=8, zorder=3, **rings)[0]}


def _groups(axes: Axes, seconds: Array, values: Array, groups: list[str]) -> dict[str, Any]:
    """Draw the points, a colour a group."""
    names = list(dict.fromkeys(groups))
    shown = names if len(names) <= LEGEND else names[: LEGEND - 1]
    labels = np.array([group if group in shown else f"{len(names) - len(shown)} others" for group in groups])
    told = dict.fromkeys(labels.tolist())
    dots: dict[str, Any] = {"markersize": 4.5, "markeredgewidth": 0, "zorder": 2}
    dots["alpha"] = float(np.clip(400 / len(groups), 0.3, 0.85))
    drawn = {}
    for number, (name, short) in enumerate(zip(told, style.short_names(told, 24), strict=True)):
        of = labels == name
        colour = OTHERS[number % len(OTHERS)]
        drawn[short or "trial"] = axes.plot(seconds[of], values[of], "oDs^v"[number // 6 % 5], color=colour, **dots)[0]
    return drawn


def _seconds_axis(axes: Axes, seconds: Array) -> None:
    """Put the seconds on an axis, with ticks in plain numbers: a logarithmic one would write powers."""
    low, high = float(seconds.min()), float(seconds.max())
    if low > 0 and high / low >= WIDE:
        axes.set(xscale="log", xlim=(low / 1.25, high * 1.25))
        steps = [step * 10.0**power for power in range(-9, 10) for step in STEPS]
        ticks = [step for step in steps if low / 1.25 <= step <= high * 1.25]
        ticks = ticks[:: 1 + len(ticks) // 8]
        axes.minorticks_off()
        axes.set_xticks(ticks, [f"{tick:,.6g}" for tick in ticks], parse_math=False)
    else:
        pad = 0.05 * (high - low) or 0.1 * high or 1.0
        axes.set(xlim=(max(0.0, low - pad), high + pad))

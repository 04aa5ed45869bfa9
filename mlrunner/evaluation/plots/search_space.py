"""The parameters of a search: slices, parallel coordinates, and what these share with its other pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlrunner.evaluation.metrics import Array
from mlrunner.evaluation.plots import style

if TYPE_CHECKING:
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from optuna.trial import FrozenTrial


@dataclass(frozen=True)
class Search:
    """A study's complete trials with finite values, and what they reached in the first objective."""

    trials: list[FrozenTrial]
    values: Array
    signs: list[int]  # of each objective; -1 where more is better
    metrics: list[str]
    subject: str

    @property
    def best(self) -> int:
        """Which of them is the best."""
        return int(np.argmin(self.signs[0] * self.values))

    def comparable(self) -> Search:
        """Keep the trials of the best one's kind where all share too few parameters: each model has its own."""
        if len(varying(self.trials, shared=True)) > 1:
            return self
        best = self.trials[self.best].params
        alike = [k for k, trial in enumerate(self.trials) if trial.params.keys() == best.keys()]
        subject = f"{self.subject}; the {len(alike):,} of {best.get('model', 'its kind')}, like the best"
        return replace(self, trials=[self.trials[k] for k in alike], values=self.values[alike], subject=subject)


@dataclass(frozen=True)
class _Scale:
    """A parameter as an axis, and where each trial stands on it."""

    places: Array
    ends: tuple[float, float]
    ticks: Array
    labels: list[str]
    log: bool = False

    @property
    def widest(self) -> int:
        """How many characters the longest label has."""
        return max(map(len, self.labels))

    def shares(self, places: Array) -> Array:
        """Place between the ends: 0 to 1."""
        low, high = np.log(self.ends) if self.log else self.ends
        shares: Array = ((np.log(places) if self.log else places) - low) / (high - low)
        return shares


def varying(trials: list[FrozenTrial], shared: bool = False) -> list[str]:
    """List the parameters that take several values; shared: only those that every trial has."""
    seen: dict[str, list[str]] = {}
    for name, value in (item for trial in trials for item in trial.params.items()):
        seen.setdefault(name, []).append(str(value))
    least = len(trials) if shared else 2
    return [name for name, values in seen.items() if len(values) >= least and len(set(values)) > 1]


def labels(names: list[str], length: int) -> list[str]:
    """Name each parameter by the last part of its key, or by as much more as tells it from the others."""
    forms: dict[str, list[str]] = {}
    for name in names:
        prefix, colon, key = name.rpartition(":")
        parts = key.split(".")
        tails = [".".join(parts[k:]) for k in reversed(range(len(parts)))]
        forms[name] = [before + tail for tail in tails for before in ("", prefix + colon)]
    uses = Counter(form for some in forms.values() for form in set(some))
    return style.short_names([next((f for f in forms[name] if uses[f] == 1), name) for name in names], length)


def _scale(name: str, trials: list[FrozenTrial]) -> _Scale:
    """Put a parameter on an axis, as wide as its widest range: a resumed search may have changed it."""
    kinds: list[Any] = [trial.distributions[name] for trial in trials]
    if hasattr(kinds[0], "choices"):
        choices = list(dict.fromkeys(str(choice) for kind in kinds for choice in kind.choices))
        spread = np.random.default_rng(0).uniform(-0.2, 0.2, len(trials))  # else the points hide one another
        places = np.array([choices.index(str(trial.params[name])) for trial in trials]) + spread
        shown, names = np.arange(0, len(choices), 1 + (len(choices) - 1) // 20), style.short_names(choices, 17)
        return _Scale(places, (-0.5, len(choices) - 0.5), shown, [names[k] for k in shown])
    values = np.array([float(trial.params[name]) for trial in trials])
    low = float(min(values.min(), *(kind.low for kind in kinds)))
    high = float(max(values.max(), *(kind.high for kind in kinds)))
    log = bool(kinds[0].log and low > 0)
    middle = float(np.sqrt(low) * np.sqrt(high)) if log else low / 2 + high / 2
    middle = round(middle) if isinstance(kinds[0].low, int) else float(f"{middle:.2g}")
    ticks = np.array([low, middle, high] if low < middle < high else [low, high])
    pad = (high / low) ** 0.05 if log else 0.05 * (high - low)
    ends = (low / pad, high * pad) if log else (low - pad, high + pad)
    return _Scale(values, ends, ticks, [f"{tick:.6g}" for tick in ticks], log)


def slices(names: list[str], total: int, found: Search) -> Figure:
    """Draw value against each parameter, the later trials darker."""
    holders = [np.array([name in trial.params for trial in found.trials]) for name in names]
    scales = [_scale(name, [t for t in found.trials if name in t.params]) for name in names]
    turned = [scale.widest if sum(len(label) + 2 for label in scale.labels) > 34 else 0 for scale in scales]
    across = min(4, len(names))
    heights = [2.3 + 0.06 * max(turned[k : k + across]) for k in range(0, len(names), across)]
    width, height = max(5.5, 1.75 + 2.35 * across), 0.8 + sum(heights)
    view, metric = style.view_of(found.values, found.signs[0]), found.metrics[0]
    shown = f", {len(names)} of {total}" if total > len(names) else ""
    subject = found.subject + style.beyond(found.values, view)
    figure = style.canvas(f"Slices: {metric} by parameter{shown}", subject, width, height)
    numbers = np.array([trial.number for trial in found.trials])
    shade: dict[str, Any] = {"cmap": _shades(1), "vmin": numbers[0], "vmax": numbers[-1], "s": 12, "linewidths": 0}
    for k, (scale, label, held) in enumerate(zip(scales, labels(names, 26), holders, strict=True)):
        row, column = divmod(k, across)
        box = (0.85 + 2.35 * column, height - 2.45 - sum(heights[:row]), 2.1, 1.7)
        axes = style.add_axes(figure, box, label, "" if column else style.shorten(metric, 21))
        axes.set(xscale="log" if scale.log else "linear", xlim=scale.ends, ylim=view)
        axes.minorticks_off()
        axes.set_xticks(scale.ticks, scale.labels, parse_math=False)
        axes.tick_params(axis="x", labelrotation=90 if turned[k] else 0, labelsize=8 if len(scale.labels) < 12 else 6.5)
        axes.tick_params(labelleft=not column)
        axes.scatter(scale.places, found.values[held], c=numbers[held], **shade)
    _colour_bar(figure, (numbers[0], numbers[-1]), 1, "trial", (0.85 + 2.35 * across, height - 2.45, 1.7))
    return figure


def parallel(names: list[str], found: Search) -> Figure:
    """Draw one line a trial over the parameters that all trials have, the better ones above the worse."""
    from matplotlib.collections import LineCollection

    scales = [_scale(name, found.trials) for name in names]
    shares = np.array([scale.shares(scale.places) for scale in scales]).T
    lines = np.stack([np.broadcast_to(np.arange(len(names)), shares.shape), shares], axis=2)
    sign, metric, width = found.signs[0], found.metrics[0], max(4.5, 1.2 * (len(names) - 1))
    title = f"Parallel coordinates: {metric}, trial {found.trials[found.best].number} (the best) in orange"
    figure = style.canvas(title, found.subject, width + 3.0, 4.7)
    axes = style.add_axes(figure, (0.75, 0.3, width, 3.4), "", "")
    axes.set(xlim=(0, len(names) - 1), ylim=(0, 1), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.vlines(range(len(names)), 0, 1, color=style.GREY, linewidth=0.8, clip_on=False)
    order, view = np.argsort(-sign * found.values, kind="stable"), style.view_of(found.values, sign)
    shade: dict[str, Any] = {"cmap": _shades(-sign), "clim": view, "linewidths": 0.9}
    shade["alpha"] = float(np.clip(150 / len(order), 0.25, 0.9))
    axes.add_collection(LineCollection([*lines[order]], array=found.values[order], **shade), autolim=False)
    axes.plot(*lines[found.best].T, color=style.COLOURS[1], linewidth=2.2, clip_on=False)
    white = {"facecolor": "white", "alpha": 0.7, "pad": 0.8, "linewidth": 0}
    place: dict[str, Any] = {"textcoords": "offset points", "parse_math": False, "zorder": 5, "annotation_clip": False}
    for k, (scale, label) in enumerate(zip(scales, labels(names, 16), strict=True)):
        axes.annotate(label, (k, 1), (0, 8), fontsize=8, ha="center", **place)
        for y, tick in zip(scale.shares(scale.ticks), scale.labels, strict=True):
            axes.annotate(tick, (k, y), (4, 0), fontsize=7, va="center", bbox=white, **place)
    _colour_bar(figure, view, -sign, metric, (width + 1.9, 0.3, 3.4))
    return figure


def _shades(sign: int) -> Colormap:
    """Grade from a blue that still shows on white to the darkest; -1: the other way round."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("shades", ["#B5D3EA", "#2E7EBC", "#08204A"][::sign])


def _colour_bar(figure: Figure, ends: tuple[float, float], sign: int, label: str, box: Sequence[float]) -> None:
    """Draw the key of the colours at (left, bottom, height) in inches."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    width, height = figure.get_size_inches()
    place = figure.add_axes((box[0] / width, box[1] / height, 0.12 / width, box[2] / height))
    figure.colorbar(ScalarMappable(Normalize(*ends), _shades(sign)), cax=place)
    place.set_ylabel(label, fontsize=8, parse_math=False)
    place.locator_params(nbins=4)
    place.tick_params(labelsize=8, color=style.GREY)

"""Common style of all plots: colours, axes, legend, number and name formatting."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from mlrunner.evaluation.predictions import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import ScalarFormatter

# The colour-blind safe palette of Okabe and Ito, without yellow, which has too little contrast on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES = ("-", "--", ":")
GREY = "#666666"
# Unit of the tick labels by number of digits of the largest tick; for more digits matplotlib writes an exponent.
TICK_UNITS = {**dict.fromkeys((5, 6), (1e3, "k")), **dict.fromkeys((7, 8, 9), (1e6, "M"))}


def create_figure(title: str, subject: str, width: float, height: float) -> Figure:
    """Create a figure of the given size in inches; title and subject take 0.7 inch at the top left."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100, facecolor="white")
    figure.text(0.15 / width, 1 - 0.24 / height, title, fontsize=11, weight="bold", va="center", parse_math=False)
    place: dict[str, Any] = {"fontsize": 8.5, "color": GREY, "va": "center", "parse_math": False}
    figure.text(0.15 / width, 1 - 0.48 / height, shorten(subject, int(width * 14)), **place)
    return figure


def add_axes(figure: Figure, box: tuple[float, float, float, float], x: str, y: str) -> Axes:
    """Add axes at (left, bottom, width, height) in inches; a layout engine would draw the figure twice."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes((box[0] / width, box[1] / height, box[2] / width, box[3] / height))
    axes.set_xlabel(x, fontsize=9, parse_math=False)
    axes.set_ylabel(y, fontsize=9, parse_math=False)
    axes.tick_params(labelsize=8, color=GREY)
    axes.grid(color="#E6E6E6", linewidth=0.6)
    axes.locator_params(nbins=5)  # text takes most of the drawing time, and each tick is one
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(_short_formatter()())
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


@lru_cache(maxsize=1)
def _short_formatter() -> type[ScalarFormatter]:
    """Return a formatter with thousands and millions, as long tick labels push the axis label off the figure."""
    from matplotlib.ticker import ScalarFormatter

    class ShortFormatter(ScalarFormatter):
        def set_locs(self, locs: Any) -> None:
            super().set_locs(locs)
            largest = max(map(abs, locs), default=0)
            spread = max(locs, default=0) - min(locs, default=0)
            self.unit = TICK_UNITS.get(len(str(int(largest))), (1, "")) if spread > largest / 100 else (1, "")

        def get_offset(self) -> str:
            return "" if self.unit[1] else str(super().get_offset())

        def __call__(self, x: float, pos: int | None = None) -> str:
            size, letter = self.unit
            return self.fix_minus(f"{x / size:g}{letter if x else ''}") if letter else str(super().__call__(x, pos))

    return ShortFormatter


def add_legend(axes: Axes, lines: list[Any], labels: list[str], title: str) -> None:
    """Add the legend to the right of the axes, where it hides no curve."""
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.02, 1.0), "frameon": False, "borderaxespad": 0}
    legend = axes.legend(lines, labels, title=title, fontsize=8, title_fontsize=8, alignment="left", **place)
    for text in legend.get_texts():
        text.set_parse_math(False)


def choose_line_style(index: int) -> dict[str, Any]:
    """Return a colour, and a dash pattern that changes when the colours repeat."""
    style = DASHES[index // len(COLOURS) % len(DASHES)]
    return {"color": COLOURS[index % len(COLOURS)], "linestyle": style, "linewidth": 1.5}


def choose_axis_limits(values: Array, sign: int) -> tuple[float, float]:
    """Choose axis limits that leave out a few extremely bad values.

    Args:
        values: Objective values, shape (n_trials,).
        sign: -1 when greater values are better, else 1.
    """
    losses = np.sort(sign * values)
    best, ninth_decile, worst = losses[0], losses[int(0.9 * (len(losses) - 1))], losses[-1]
    if len(losses) >= 10 and worst - best > 4 * (ninth_decile - best) > 0:
        worst = best + 1.5 * (ninth_decile - best)
    low, high = sorted((float(sign * best), float(sign * worst)))
    size = max(abs(low), abs(high))
    pad = 0.06 * (high - low) if high - low > 1e-9 * size else 0.1 * size or 1.0
    return low - pad, high + pad


def describe_outliers(values: Array, limits: tuple[float, float]) -> str:
    """Return a note with the number of values outside the axis limits; empty for none."""
    count = int(((values < limits[0]) | (values > limits[1])).sum())
    return f"; {count:,} beyond the axis" if count else ""


@lru_cache(maxsize=1)
def _supported_characters() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())


def shorten(name: Any, length: int) -> str:
    """Shorten a name in the middle, since names differ at the beginning or the end."""
    # matplotlib warns about a character that the font lacks and draws an empty box.
    text = "".join(c if ord(c) in _supported_characters() else "?" for c in " ".join(str(name).split()))
    if len(text) <= length:
        return text
    return f"{text[: length - length // 3 - 1]}…{text[len(text) - length // 3 :]}"


def short_names(names: Iterable[Any], length: int) -> list[str]:
    """Shorten a list of names; drop their common prefix when two would become equal."""
    full = [str(name) for name in names]
    shortened = [shorten(name, length) for name in full]
    if len(set(shortened)) == len(set(full)):
        return shortened
    prefix = next((k for k, letters in enumerate(zip(*full, strict=False)) if len(set(letters)) > 1), 0)
    return ["…" + shorten(name[prefix:], length - 1) for name in full] if prefix else shortened

"""The one style of every picture: colours, canvas, axes, legend, and names made fit to be drawn."""

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

# Okabe and Ito's palette for colour-blind readers, without its yellow, which is too faint on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES = ("-", "--", ":")
GREY = "#666666"
# By the digits of the greatest tick: in what it is written. Beyond, matplotlib writes the power beside the axis.
UNITS = {**dict.fromkeys((5, 6), (1e3, "k")), **dict.fromkeys((7, 8, 9), (1e6, "M"))}


def canvas(title: str, subject: str, width: float, height: float) -> Figure:
    """Make a canvas in inches, with title and subject at the top left, 0.7 inch high."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100, facecolor="white")
    figure.text(0.15 / width, 1 - 0.24 / height, title, fontsize=11, weight="bold", va="center", parse_math=False)
    place: dict[str, Any] = {"fontsize": 8.5, "color": GREY, "va": "center", "parse_math": False}
    figure.text(0.15 / width, 1 - 0.48 / height, shorten(subject, int(width * 14)), **place)
    return figure


def add_axes(figure: Figure, box: tuple[float, float, float, float], x: str, y: str) -> Axes:
    """Add axes at (left, bottom, width, height) in inches: no layout engine, which would draw twice."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes((box[0] / width, box[1] / height, box[2] / width, box[3] / height))
    axes.set_xlabel(x, fontsize=9, parse_math=False)
    axes.set_ylabel(y, fontsize=9, parse_math=False)
    axes.tick_params(labelsize=8, color=GREY)
    axes.grid(color="#E6E6E6", linewidth=0.6)
    axes.locator_params(nbins=5)  # each tick costs a text, and texts are most of a figure's time
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(_short_ticks()())
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def number(value: float) -> str:
    """Write a number in four digits, a large one whole and not as a power of ten."""
    return f"{value:,.0f}" if 9999.5 <= abs(value) < 1e12 else f"{value:.4g}"


@lru_cache(maxsize=1)
def _short_ticks() -> type[ScalarFormatter]:
    """Write the ticks of large numbers in thousands and millions, or they would push the axis' label off the canvas."""
    from matplotlib.ticker import ScalarFormatter

    class Short(ScalarFormatter):
        def set_locs(self, locs: Any) -> None:
            super().set_locs(locs)
            most = max(map(abs, locs), default=0)
            spread = max(locs, default=0) - min(locs, default=0)
            self.unit = UNITS.get(len(str(int(most))), (1, "")) if spread > most / 100 else (1, "")

        def get_offset(self) -> str:
            return "" if self.unit[1] else str(super().get_offset())

        def __call__(self, x: float, pos: int | None = None) -> str:
            size, letter = self.unit
            return self.fix_minus(f"{x / size:g}{letter if x else ''}") if letter else str(super().__call__(x, pos))

    return Short


def legend(axes: Axes, lines: list[Any], labels: list[str], title: str) -> None:
    """Put the legend beside the axes, where it hides no curve."""
    place: dict[str, Any] = {
        "loc": "upper left",
        "bbox_to_anchor": (1.02, 1.0),
        "frameon": False,
        "borderaxespad": 0,
    }
    legend = axes.legend(lines, labels, title=title, fontsize=8, title_fontsize=8, alignment="left", **place)
    for text in legend.get_texts():
        text.set_parse_math(False)


def line(number: int) -> dict[str, Any]:
    """Tell lines apart by colour, and by dashes where the colours begin again."""
    style = DASHES[number // len(COLOURS) % len(DASHES)]
    return {"color": COLOURS[number % len(COLOURS)], "linestyle": style, "linewidth": 1.5}


def view_of(values: Array, sign: int) -> tuple[float, float]:
    """Choose the ends of an axis for values, so that a few hopeless ones do not squash the others."""
    losses = np.sort(sign * values)
    best, most, worst = losses[0], losses[int(0.9 * (len(losses) - 1))], losses[-1]
    if len(losses) >= 10 and worst - best > 4 * (most - best) > 0:
        worst = best + 1.5 * (most - best)
    low, high = sorted((float(sign * best), float(sign * worst)))
    size = max(abs(low), abs(high))
    pad = 0.06 * (high - low) if high - low > 1e-9 * size else 0.1 * size or 1.0
    return low - pad, high + pad


def beyond(values: Array, view: tuple[float, float]) -> str:
    """Say how many values the axis does not show."""
    count = int(((values < view[0]) | (values > view[1])).sum())
    return f"; {count:,} beyond the axis" if count else ""


@lru_cache(maxsize=1)
def _drawable() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())


def shorten(name: Any, length: int) -> str:
    """Cut the middle out of a long name: beginnings and ends tell names apart."""
    # A character that the font lacks would warn at each drawing and come out as an empty box.
    text = "".join(c if ord(c) in _drawable() else "?" for c in " ".join(str(name).split()))
    if len(text) <= length:
        return text
    return f"{text[: length - length // 3 - 1]}…{text[len(text) - length // 3 :]}"


def short_names(names: Iterable[Any], length: int) -> list[str]:
    """Shorten names that stand together: when that makes two alike, without the beginning they share."""
    full = [str(name) for name in names]
    cut = [shorten(name, length) for name in full]
    if len(set(cut)) == len(set(full)):
        return cut
    shared = next((k for k, letters in enumerate(zip(*full, strict=False)) if len(set(letters)) > 1), 0)
    return ["…" + shorten(name[shared:], length - 1) for name in full] if shared else cut

"""Draw Optuna's plots with pyplot, and restore the state of pyplot."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def freeze_layout(figure: Figure) -> None:
    """Compute the layout and turn the layout engine off: a second layout would move axes slightly."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


@contextmanager
def _use_pyplot() -> Iterator[None]:
    """Select the Agg backend, and restore backend, style, warning filters and open figures."""
    import matplotlib as mpl
    from matplotlib import pyplot
    from optuna.exceptions import ExperimentalWarning

    backend, opened = mpl.get_backend(auto_select=False), set(pyplot.get_fignums())
    pyplot.switch_backend("agg")
    try:
        with mpl.rc_context({"figure.constrained_layout.use": True}), warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            yield
    finally:
        for number in set(pyplot.get_fignums()) - opened:
            pyplot.close(number)
        pyplot.switch_backend(backend or mpl.rcParamsDefault["backend"])


def draw_plot(plot: Callable[[], Any], title: str, size: tuple[float, float]) -> Figure:
    """Draw one of Optuna's plots with our title and fonts.

    Args:
        plot: Function that draws with pyplot and returns its axes.
        title: Title of the figure.
        size: Width and height in inches.
    """
    with _use_pyplot():
        axes = plot()
        figure: Figure = np.ravel(axes)[0].figure
    figure.set(size_inches=size, dpi=100, facecolor="white")
    figure.suptitle(title, x=0.02, ha="left", fontsize=10)
    for part in figure.axes:
        for place in ("left", "center"):
            part.set_title("", loc=place)
        part.tick_params(labelsize=8)
        for axis in (part.xaxis, part.yaxis):
            axis.label.set_fontsize(9)
    return figure

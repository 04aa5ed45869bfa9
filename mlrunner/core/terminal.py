"""What a person sees: the composition, a line a step, a table of metrics, where to look next."""

from __future__ import annotations

import io
import os
import sys
import textwrap
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from typing import Any

    from mlrunner.core.errors import MlrunnerError
    from mlrunner.core.outcome import Outcome

PARTS = ("train", "validation", "cv", "test")
HUGE = 1e12  # digits beyond these are counted, not read
PIPED_WIDTH = 240  # columns where there is no terminal


def console(stderr: bool = False) -> Console:
    """Make a console on today's stdout or stderr: plain and wide when it is piped."""
    stream = sys.stderr if stderr else sys.stdout
    if stream is None:  # it is closed
        return Console(file=io.StringIO())
    width = None if stream.isatty() else PIPED_WIDTH
    return Console(file=stream, highlight=False, soft_wrap=not stream.isatty(), width=width)


def number(value: float | None, spread: float | None = None) -> str:
    """Write a number in four significant digits, with its spread; a dash for none."""
    if value is None or value != value:
        return "-"
    told = f"{value:,.0f}" if 9999.5 <= abs(value) < HUGE else f"{value:,.4g}"
    return told if spread is None else f"{told} ± {spread:.2g}"


def show_hand_over(gate: dict[str, Any] | None, deployment: dict[str, Any] | None) -> None:
    """Print what the gate said, and where the model serves."""
    out = console()
    if gate is not None:
        word, style = ("open", "bold green") if gate["open"] else ("closed", "bold yellow")
        out.print(Text.assemble(("  gate      ", "dim"), (word, style), f": {gate['reason']}"))
    if deployment is not None and "error" not in deployment:
        named = f"{deployment['name']} version {deployment['version']}"
        where = f" {deployment['where']}"  # may hold commands to paste, so lines are not broken
        out.print(Text.assemble(("  deployed  ", "dim"), (named, "bold green"), where), soft_wrap=True)


def relative(path: str) -> str:
    """Shorten a path below the working folder."""
    found = os.path.relpath(path)
    return path if found.startswith("..") else found


def show_problems(error: MlrunnerError, prefix: str = "mlrunner: ") -> None:
    """Print what is wrong, a line a problem, to stderr."""
    out = console(stderr=True)
    for sentence in getattr(error, "problems", [str(error)]):
        out.print(Text.assemble((prefix, "bold red"), sentence))


def show_job(outcome: Outcome) -> None:
    """Print one line for a composition of a grid."""
    mark, style = ("✓", "green") if outcome.error is None else ("✗", "red")
    told = f"{outcome.metric} {number(outcome.objective)}" if outcome.error is None else outcome.error
    console().print(
        Text.assemble(
            (f"{mark} ", style),
            (f"{outcome.job:>3}  ", "dim"),
            f"{outcome.name}  ",
            (told, style),
            (f"  {outcome.seconds:.2f} s", "dim"),
        )
    )


def show_ranking(outcomes: list[Outcome], folder: str) -> None:
    """Print a sweep's compositions, best first, then those that were pruned or failed."""
    table = Table(box=None, pad_edge=False, padding=(0, 2), title_justify="left")
    metric = next((outcome.metric for outcome in outcomes if outcome.error is None), "objective")
    tested = [f"test/{metric}"] if any(f"test/{metric}" in outcome.metrics for outcome in outcomes) else []
    for name in ("rank", "job", "composition", metric, *(["test"] if tested else []), "fit", "total", "run or error"):
        table.add_column(name, justify="left" if name in ("composition", "run or error") else "right")
    for rank, outcome in enumerate(outcomes, 1):
        ended = outcome.status != "PRUNED" and outcome.error is None
        table.add_row(
            str(rank) if ended else "-",
            str(outcome.job),
            outcome.name,
            number(outcome.objective, spread(outcome.metrics, metric)),
            *[number(outcome.metrics.get(name)) for name in tested],
            "-" if outcome.error is not None else f"{outcome.fit_seconds:.2f} s",
            f"{outcome.seconds:.2f} s",
            textwrap.shorten(outcome.error or "", 60) or (str(outcome.run_id)[:8] if ended else "pruned"),
            style="red" if outcome.error is not None else "bold" if rank == 1 else "" if ended else "yellow",
        )
    out = console()
    out.print()
    out.print(table)
    out.print(Text.assemble(("\n  folder    ", "dim"), relative(folder)))


def spread(metrics: dict[str, float], metric: str) -> float | None:
    """Find the deviation of a metric over folds or repeats; None where it was scored once."""
    return metrics.get(f"cv/{metric}_std", metrics.get(f"validation/{metric}_std"))


def show_report(file: str | None) -> None:
    """Print where the report of a sweep is; nothing where there is none."""
    if file is not None:
        console().print(Text.assemble(("  report    ", "dim"), relative(file)))

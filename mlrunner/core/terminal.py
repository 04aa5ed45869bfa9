"""Print for people: problems, the jobs of a grid, rankings and deployments."""

from __future__ import annotations

import io
import os
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from mlrunner.core.errors import MlrunnerError
from mlrunner.core.formatting import MISSING, format_number, format_seconds, remove_controls
from mlrunner.core.metric_names import metric_spread
from mlrunner.core.outcome import Outcome, separate

PIPED_WIDTH = 240  # characters a line when the output is not a terminal
ERROR_WIDTH = 60  # characters of an error in a ranking
# A text holds data such as `dataset.ignore=[alive]`, never Rich's markup, emoji or words to colour.
PLAIN: Any = {"highlight": False, "markup": False, "emoji": False}
SHORT_ID = 8  # characters of a run ID


class SafeConsole(Console):
    """A console that prints texts without their control characters: other users of a store choose names and tags."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Render an object as segments; those by which Rich itself moves the cursor stay."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else remove_controls(text), style, control)


def console(stderr: bool = False) -> Console:
    """Make a console on the current stdout or stderr; when it is not a terminal, without styles and wide."""
    stream = sys.stderr if stderr else sys.stdout
    if stream is None:  # it is closed
        return SafeConsole(file=io.StringIO())
    width = None if stream.isatty() else PIPED_WIDTH
    return SafeConsole(file=stream, soft_wrap=not stream.isatty(), width=width, **PLAIN)


def print_text(text: str, end: str = "\n") -> None:
    """Print a document: exactly into a file or a pipe, and without control characters on a terminal."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    print(remove_controls(text) if is_terminal else text, end=end)


def relative_path(path: str) -> str:
    """Return a path relative to the working directory when it is below it, and the path itself otherwise."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


def show_line(label: str, *texts: str | tuple[str, str], soft_wrap: bool = False) -> None:
    """Print texts, each alone or with its style, behind a label.

    Args:
        label: At most nine characters.
        texts: Parts of the line.
        soft_wrap: Whether the line is not broken, so that a command in it can be pasted.
    """
    console().print(Text.assemble((f"  {label:<10}", "dim"), *texts), soft_wrap=soft_wrap or None)


def show_problems(error: MlrunnerError) -> None:
    """Print one line for each problem to stderr."""
    out = console(stderr=True)
    for sentence in getattr(error, "problems", [str(error)]):
        out.print(Text.assemble(("mlrunner: ", "bold red"), sentence))


def show_deployment(gate: dict[str, Any] | None, deployment: dict[str, Any] | None) -> None:
    """Print the decision of the gate, and the address of the deployed model; nothing for None."""
    if gate is not None:
        show_line("gate", ("open", "bold green") if gate["open"] else ("closed", "bold yellow"), f": {gate['reason']}")
    if deployment is not None and "error" not in deployment:
        name = f"{deployment['name']} version {deployment['version']}"
        where = f" {deployment['where']}"  # may hold commands to paste, so lines are not broken
        show_line("deployed", (name, "bold green"), where, soft_wrap=True)


def show_warnings(warnings: Iterable[Mapping[str, str]]) -> None:
    """Print one line for each warning: its name, which `warnings.ignore` takes, and its sentence."""
    for warning in warnings:
        show_line("warning", (f"{warning['name']}: ", "yellow"), warning["text"], soft_wrap=True)


def show_job(outcome: Outcome) -> None:
    """Print one line for a job of a grid."""
    mark, style = ("✓", "green") if outcome.error is None else ("✗", "red")
    result = f"{outcome.metric} {format_number(outcome.objective)}" if outcome.error is None else outcome.error
    console().print(
        Text.assemble(
            (f"{mark} ", style),
            (f"{outcome.job:>3}  ", "dim"),
            f"{outcome.name}  ",
            (result, style),
            (f"  {format_seconds(outcome.seconds)}", "dim"),
        )
    )


def show_ranking(outcomes: list[Outcome], folder: str) -> None:
    """Print the ranking of a sweep; one for each question where there are several.

    Args:
        outcomes: Outcomes, best first; pruned and failed ones last.
        folder: Output folder of the sweep.
    """
    groups = separate(outcomes)
    for question, group in groups.items():
        console().print(Text(f"\n{question}" if len(groups) > 1 else "", "bold"))
        console().print(_make_ranking(group))
    console().print()
    show_line("folder", relative_path(folder))


def _make_ranking(outcomes: list[Outcome]) -> RenderableType:
    from mlrunner.core.table import text_table  # which only tables need

    metric = next((outcome.metric for outcome in outcomes if outcome.error is None), "objective")
    is_tested = any(f"test/{metric}" in outcome.metrics for outcome in outcomes)
    headers = ("rank", "job", "composition", metric, *(["test"] if is_tested else []), "fit", "total", "run or error")
    rows = (_ranking_row(rank, outcome, metric, is_tested) for rank, outcome in enumerate(outcomes, 1))
    return text_table(headers, rows, ("composition", "run or error"))


def _ranking_row(rank: int, outcome: Outcome, metric: str, is_tested: bool) -> tuple[list[str], str]:
    is_complete, error = outcome.status != "PRUNED" and outcome.error is None, outcome.error
    texts = [
        str(rank) if is_complete else MISSING,
        str(outcome.job),
        outcome.name,
        format_number(outcome.objective, metric_spread(outcome.metrics, metric)),
        *([format_number(outcome.metrics.get(f"test/{metric}"))] if is_tested else []),
        MISSING if error is not None else format_seconds(outcome.fit_seconds),
        format_seconds(outcome.seconds),
        textwrap.shorten(error or "", ERROR_WIDTH) or (str(outcome.run_id)[:SHORT_ID] if is_complete else "pruned"),
    ]
    return texts, "failed" if error is not None else "pruned" if not is_complete else "best" if rank == 1 else ""

"""The parts of the table of a search: for the process that runs it, and for `mlrunner watch` beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text

from mlrunner.core.formatting import format_number
from mlrunner.search.results import find_best

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial
    from rich.console import Console

    from mlrunner.search.objective import Objectives

NAME_WIDTH = 72  # characters of a composition


class RunningRow(NamedTuple):
    """A trial that runs.

    Args:
        number: Number of the trial.
        name: What it varies.
        seconds: Seconds since its start; None where they are not known.
        reported: Last step and its value; None before the first.
    """

    number: int
    name: str
    seconds: float | None
    reported: tuple[int, float] | None


def make_progress(out: Console) -> Progress:
    """Make the bar that counts the finished trials."""
    return Progress(
        TextColumn("  {task.description}", markup=False),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[remaining]}", style="dim"),
        console=out,
    )


def format_states(finished: Iterable[FrozenTrial], n_running: int) -> Text:
    """Count the trials by state."""
    states = [trial.state.name for trial in finished]
    n_failed = states.count("FAIL")
    return Text.assemble(
        "  ", (f"{states.count('COMPLETE')} complete", "green"), "  ", (f"{states.count('PRUNED')} pruned", "yellow"),
        "  ", (f"{n_failed} failed", "red" if n_failed else "dim"), "  ", f"{n_running} running",
    )  # fmt: skip


def format_best(study: Study, objectives: Objectives) -> Text:
    """Write the value, the number and the parameters of the best trial."""
    best = find_best(study, objectives)
    if best is None:
        return Text("  best     none yet", "dim")
    value = f"{objectives.metrics[0]} {format_number(best.values[0])}"
    return Text.assemble(
        ("  best     ", "dim"), (value, "bold green"), f"  trial {best.number}  {format_params(best.params)}"
    )


def format_params(params: Mapping[str, Any]) -> str:
    """Write the parameters of a trial by the last part of their keys, at most `NAME_WIDTH` characters."""
    return ", ".join(f"{key.rpartition('.')[2]}={_format_param(value)}" for key, value in params.items())[:NAME_WIDTH]


def render_running(rows: Iterable[RunningRow]) -> Table:
    """Show the trials that run, one a line."""
    table = Table.grid(padding=(0, 1))
    for row in rows:
        seconds = "" if row.seconds is None else f"{row.seconds:.0f} s"
        reported = "" if row.reported is None else f"at {row.reported[0]}: {format_number(row.reported[1])}"
        table.add_row("  running ", str(row.number), row.name[:NAME_WIDTH], seconds, reported, style="dim")
    return table


def _format_param(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)

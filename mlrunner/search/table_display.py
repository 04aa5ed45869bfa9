"""Show a running search on a terminal: a table that stays in place."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text

from mlrunner.core import progress_file
from mlrunner.core.formatting import format_number
from mlrunner.core.terminal import console
from mlrunner.search.display import STATE_MARKS, LineDisplay, ProgressDisplay, SilentDisplay
from mlrunner.search.executor import Step
from mlrunner.search.results import find_best, list_valid_trials
from mlrunner.search.trial_progress import FinishedTrial, RunningTrial

if TYPE_CHECKING:
    from rich.console import Console

    from mlrunner.search.loop import Search

NAME_WIDTH = 72


class TableDisplay(LineDisplay):
    """Display that stays in place: progress, best trial and running trials; failures scroll by above it."""

    def __init__(self, search: Search, config_flags: tuple[str, ...] = (), out: Console | None = None) -> None:
        super().__init__(search, config_flags, out)
        self._started, self._n_finished = time.monotonic(), 0
        self._steps: dict[int, Step] = {}
        self._progress = Progress(
            TextColumn("  {task.description}", markup=False),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[remaining]}", style="dim"),
            console=self._console,
        )
        self._bar = self._progress.add_task("search", total=search.queue.limit, remaining="")
        self._live = Live(self._render(), console=self._console, refresh_per_second=4, get_renderable=self._render)

    def __enter__(self) -> TableDisplay:
        self._live.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        """Leave the last state on the terminal."""
        self._live.__exit__(*exception)

    def __call__(self, event: Any) -> None:
        """Take note of an event; only failures print lines."""
        if isinstance(event, Step):
            self._steps[event.number] = event
        elif isinstance(event, FinishedTrial):
            self._n_finished += 1
            if event.result.state == "FAIL":
                super().__call__(event)
        elif not isinstance(event, RunningTrial):
            super().__call__(event)

    def _render(self) -> Group:
        trials = list_valid_trials(self._search.study)
        finished = [trial for trial in trials if trial.state.is_finished()]
        self._progress.update(self._bar, completed=len(finished), remaining=self._format_remaining(len(finished)))
        counts = {state: sum(trial.state.name == state for trial in finished) for state in STATE_MARKS}
        states = Text.assemble(
            "  ", (f"{counts['COMPLETE']} complete", "green"), "  ", (f"{counts['PRUNED']} pruned", "yellow"), "  ",
            (f"{counts['FAIL']} failed", "red" if counts["FAIL"] else "dim"), "  ",
            f"{len(self._search.running)} running",
        )  # fmt: skip
        return Group(self._progress, states, self._render_best(), self._render_running())

    def _format_remaining(self, n_finished: int) -> str:
        """Extrapolate the remaining time from the trials of this session; earlier sessions may have been slower."""
        if not self._n_finished:
            return ""
        each = (time.monotonic() - self._started) / self._n_finished
        seconds = int(each * max(0, self._search.queue.limit - n_finished))
        return f"{seconds // 60}:{seconds % 60:02d} left"

    def _render_best(self) -> Text:
        best = find_best(self._search.study, self._search.objectives)
        if best is None:
            return Text("  best     none yet", "dim")
        params = ", ".join(f"{key.rpartition('.')[2]}={_format_param(value)}" for key, value in best.params.items())
        value = f"{self._search.objectives.metrics[0]} {format_number(best.values[0])}"
        return Text.assemble(
            ("  best     ", "dim"), (value, "bold green"), f"  trial {best.number}  {params[:NAME_WIDTH]}"
        )

    def _render_running(self) -> Table:
        table = Table.grid(padding=(0, 1))
        for running in list(self._search.running.values()):
            trial = running.prepared
            step = self._steps.get(trial.number)
            reported = f"at {step.step}: {format_number(step.value)}" if step is not None else ""
            seconds = f"{time.time() - running.started:.0f} s"
            name = trial.launch.name[:NAME_WIDTH]
            table.add_row("  running ", str(trial.number), name, seconds, reported, style="dim")
        return table


def _format_param(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def choose_display(
    search: Search, is_text: bool, config_flags: tuple[str, ...] = (), out: Console | None = None
) -> SilentDisplay:
    """Choose the display of a search.

    Args:
        search: Search that starts.
        is_text: Whether the output is for people; False for `output=json`.
        config_flags: Flags `-cp`, `-cn` and `-cd` of the sweep with their values; empty without them.
        out: Console to print on; None for stdout.
    """
    if not is_text:
        return ProgressDisplay(search) if progress_file.is_requested() else SilentDisplay()
    out = out or console()
    return (TableDisplay if out.is_terminal else LineDisplay)(search, config_flags, out)

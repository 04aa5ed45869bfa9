"""Show a running search: a table that stays in place on a terminal, one line a trial elsewhere."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text

from mlrunner.core.formatting import format_number
from mlrunner.core.metric_names import metric_spread
from mlrunner.core.overrides import join_words
from mlrunner.core.terminal import console
from mlrunner.search.executor import Step
from mlrunner.search.results import find_best, list_valid_trials
from mlrunner.search.trial_progress import FinishedTrial, RunningTrial

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from mlrunner.search.loop import Search

STATE_MARKS = {"COMPLETE": ("✓", "green"), "PRUNED": ("◦", "yellow"), "FAIL": ("✗", "red")}
NAME_WIDTH = 72
QUOTED_OPTION = re.compile(r"^(\w+=)'(\d+(?:_\d+)+)'$")  # an option that the command line quotes by itself


def format_command(overrides: Iterable[str], config_flags: Iterable[str]) -> str:
    """Write the command that runs the composition of a trial alone.

    Args:
        overrides: Overrides of the trial.
        config_flags: Flag of a further folder of configuration with the folder; empty without one.
    """
    own = [text for text in overrides if not text.startswith(("sweep=", "output=", "hydra"))]
    return join_words(["mlrunner", *config_flags, *[QUOTED_OPTION.sub(r"\1\2", text) for text in own]])


class SilentDisplay:
    """Display without output, for `output=json`."""

    def __enter__(self) -> SilentDisplay:
        return self

    def __exit__(self, *exception: object) -> None:
        """Release nothing."""

    def __call__(self, event: Any) -> None:
        """Ignore an event."""


class LineDisplay(SilentDisplay):
    """Display of one line for each finished trial.

    Args:
        search: Search that starts.
        config_flags: Flag of a further folder of configuration with the folder; empty without one.
    """

    def __init__(self, search: Search, config_flags: tuple[str, ...] = ()) -> None:
        self._search, self._config_flags, self._console = search, config_flags, console()
        self._width = len(str(search.queue.limit))

    def __call__(self, event: Any) -> None:
        """Print a finished trial, or that Ctrl-C was pressed."""
        if isinstance(event, FinishedTrial):
            for line in self.format_lines(event):
                self._console.print(line)
        elif event == 1:
            self._console.print(
                Text("interrupted: the running trials finish; press Ctrl-C again to stop them", "yellow")
            )

    def format_lines(self, finished: FinishedTrial) -> list[Text]:
        """Write the line of a trial; for a failed one also the command that runs it alone."""
        result = finished.result
        mark, style = STATE_MARKS[result.state]
        retry = f" (again, for trial {finished.retry_of})" if finished.retry_of is not None else ""
        values = result.error or self._format_values(finished)
        line = Text.assemble(
            (f"{mark} ", style),
            (f"{result.number:>{self._width}}  ", "dim"),
            f"{finished.prepared.launch.name}{retry}  ",
            (f"pruned at {values}" if result.state == "PRUNED" else values, style),
            (f"  {result.seconds:.2f} s", "dim"),
        )
        if result.state != "FAIL":
            return [line]
        command = format_command(finished.prepared.overrides, self._config_flags)
        return [line, Text(f"  {' ' * self._width}run it alone: {command}", "dim")]

    def _format_values(self, finished: FinishedTrial) -> str:
        result, objectives = finished.result, self._search.objectives
        pairs = zip(objectives.metrics, objectives.get_values(result), strict=True)
        deviation = metric_spread(result.metrics, objectives.metrics[0])
        values = ", ".join(f"{name} {format_number(value)}" for name, value in pairs)
        return values + (f" ± {deviation:.2g}" if deviation is not None else "")


class TableDisplay(LineDisplay):
    """Display that stays in place: progress, best trial and running trials; failures scroll by above it.

    Args:
        search: Search that starts.
        config_flags: Flag of a further folder of configuration with the folder; empty without one.
    """

    def __init__(self, search: Search, config_flags: tuple[str, ...] = ()) -> None:
        super().__init__(search, config_flags)
        self._started, self._n_finished = time.monotonic(), 0
        self._steps: dict[int, Step] = {}
        self._progress = Progress(
            TextColumn("  {task.description}"),
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
        return Group(self._progress, states, self._render_best(trials), self._render_running())

    def _format_remaining(self, n_finished: int) -> str:
        """Extrapolate the remaining time from the trials of this session; earlier sessions may have been slower."""
        if not self._n_finished:
            return ""
        each = (time.monotonic() - self._started) / self._n_finished
        seconds = int(each * max(0, self._search.queue.limit - n_finished))
        return f"{seconds // 60}:{seconds % 60:02d} left"

    def _render_best(self, trials: list[FrozenTrial]) -> Text:
        best = find_best(trials, self._search.objectives)
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


def choose_display(search: Search, is_text: bool, config_flags: tuple[str, ...] = ()) -> SilentDisplay:
    """Choose the display of a search.

    Args:
        search: Search that starts.
        config_flags: Flag of a further folder of configuration with the folder; empty without one.
        is_text: Whether the output is for people; False for `output=json`.
    """
    if not is_text:
        return SilentDisplay()
    return (TableDisplay if console().is_terminal else LineDisplay)(search, config_flags)

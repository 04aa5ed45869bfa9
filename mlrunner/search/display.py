"""Show a running search by one line for each trial, and the command that runs a trial alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.text import Text

from mlrunner.core.formatting import format_number
from mlrunner.core.metric_names import metric_spread
from mlrunner.core.overrides import join_words
from mlrunner.core.progress_file import Progress, report
from mlrunner.core.terminal import console
from mlrunner.search.results import find_best, list_valid_trials
from mlrunner.search.trial_progress import FinishedTrial

if TYPE_CHECKING:
    from rich.console import Console

    from mlrunner.search.loop import Search

STATE_MARKS = {"COMPLETE": ("✓", "green"), "PRUNED": ("◦", "yellow"), "FAIL": ("✗", "red")}
QUOTED_OPTION = re.compile(r"^(\w+=)'(\d+(?:_\d+)+)'$")  # an option that the command line quotes by itself


def format_command(overrides: Iterable[str], config_flags: Iterable[str]) -> str:
    """Write the command that runs the composition of a trial alone.

    Args:
        overrides: Overrides of the trial.
        config_flags: Flags `-cp`, `-cn` and `-cd` of the sweep with their values; empty without them.
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


class ProgressDisplay(SilentDisplay):
    """Display of another process, for `output=json`: it gets a line for each finished trial."""

    def __init__(self, search: Search) -> None:
        n_done = sum(trial.state.is_finished() for trial in list_valid_trials(search.study))
        self._search, self._total = search, search.queue.limit - n_done

    def __call__(self, event: Any) -> None:
        """Report a finished trial."""
        if isinstance(event, FinishedTrial):
            best = find_best(self._search.study, self._search.objectives)
            note = "" if best is None else f"{self._search.objectives.metrics[0]} {format_number(best.values[0])}"
            report(Progress(self._total, note))


class LineDisplay(SilentDisplay):
    """Display of one line for each finished trial.

    Args:
        search: Search that starts.
        config_flags: Flags `-cp`, `-cn` and `-cd` of the sweep with their values; empty without them.
        out: Console to print on; None for stdout.
    """

    def __init__(self, search: Search, config_flags: tuple[str, ...] = (), out: Console | None = None) -> None:
        self._search, self._config_flags, self._console = search, config_flags, out or console()
        self._width = len(str(search.queue.limit))
        self._printed = set[str]()

    def __call__(self, event: Any) -> None:
        """Print a finished trial, that Ctrl-C was pressed, or once what the search waits for."""
        if isinstance(event, FinishedTrial):
            for line in self.format_lines(event):
                self._console.print(line)
        elif isinstance(event, str) and event not in self._printed:
            self._printed.add(event)
            self._console.print(Text(event, "yellow"))
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

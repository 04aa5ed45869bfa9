"""Show a running search on a terminal: a table that stays in place."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.live import Live

from mlrunner.core import progress_file
from mlrunner.core.terminal import console
from mlrunner.search.display import LineDisplay, ProgressDisplay, SilentDisplay
from mlrunner.search.executor import Step
from mlrunner.search.results import list_valid_trials
from mlrunner.search.search_table import RunningRow, format_best, format_states, make_progress, render_running
from mlrunner.search.trial_progress import FinishedTrial, RunningTrial

if TYPE_CHECKING:
    from rich.console import Console

    from mlrunner.search.loop import Search


class TableDisplay(LineDisplay):
    """Display that stays in place: progress, best trial and running trials; failures scroll by above it."""

    def __init__(self, search: Search, config_flags: tuple[str, ...] = (), out: Console | None = None) -> None:
        super().__init__(search, config_flags, out)
        self._started, self._n_finished = time.monotonic(), 0
        self._steps: dict[int, Step] = {}
        self._progress = make_progress(self._console)
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
        study, objectives = self._search.study, self._search.objectives
        finished = [trial for trial in list_valid_trials(study) if trial.state.is_finished()]
        self._progress.update(self._bar, completed=len(finished), remaining=self._format_remaining(len(finished)))
        states = format_states(finished, len(self._search.running))
        return Group(self._progress, states, format_best(study, objectives), render_running(self._list_running()))

    def _format_remaining(self, n_finished: int) -> str:
        """Extrapolate the remaining time from the trials of this session; earlier sessions may have been slower."""
        if not self._n_finished:
            return ""
        each = (time.monotonic() - self._started) / self._n_finished
        seconds = int(each * max(0, self._search.queue.limit - n_finished))
        return f"{seconds // 60}:{seconds % 60:02d} left"

    def _list_running(self) -> Iterator[RunningRow]:
        for running in list(self._search.running.values()):
            trial = running.prepared
            step = self._steps.get(trial.number)
            reported = None if step is None else (step.step, step.value)
            yield RunningRow(trial.number, trial.launch.name, time.time() - running.started, reported)


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

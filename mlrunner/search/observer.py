"""Follow a search that another process runs, by its study; nothing is written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.live import Live

from mlrunner.core.formatting import format_number
from mlrunner.core.machine import identify_machine
from mlrunner.search.objective import Objectives
from mlrunner.search.results import find_best, list_valid_trials
from mlrunner.search.search_table import (
    RunningRow,
    format_best,
    format_params,
    format_states,
    make_progress,
    render_running,
)
from mlrunner.search.session_watch import SessionWatch
from mlrunner.search.study_setup import LIMIT_ATTRIBUTE, SEARCH_ATTRIBUTE
from mlrunner.search.trial_attributes import list_owners
from mlrunner.tracking.studies import HEARTBEAT_SECONDS, read_sessions

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial
    from rich.console import Console

POLL_SECONDS = 0.5


class Observer:
    """Shows the trials of a study.

    Args:
        study: Study of a search that has started.
        out: Console to print on.
    """

    def __init__(self, study: Study, out: Console) -> None:
        metrics: dict[str, Any] = study.user_attrs[SEARCH_ATTRIBUTE]["metric"]
        self._study, self._out = study, out
        self._objectives = Objectives(tuple(metrics), tuple(metrics.values()))
        self._sessions = SessionWatch(study, HEARTBEAT_SECONDS)
        self._progress = make_progress(out)
        self._bar = self._progress.add_task("search", total=None, remaining="")
        self._trials: list[FrozenTrial] = []
        self.is_running = True

    def follow(self) -> None:
        """Show the search until no process works on it: a table that stays in place, or a line for each change."""
        self.read()
        if not self._out.is_terminal:
            self._print_changes()
            return
        with Live(self.render(), console=self._out, refresh_per_second=4, get_renderable=self.render):
            while self.is_running:
                time.sleep(POLL_SECONDS)
                self.read()

    def read(self) -> None:
        """Read the study."""
        self.is_running = bool(self._sessions.list_live())  # before the trials, so that the last reading has them all
        self._trials = list_valid_trials(self._study)

    @property
    def counts(self) -> tuple[int, int | None]:
        """Number of finished trials, and of all trials of the search; None where it is not known."""
        limit = self._study.user_attrs.get(LIMIT_ATTRIBUTE)
        return sum(trial.state.is_finished() for trial in self._trials), limit if limit is None else int(limit)

    def render(self) -> Group:
        """Draw the table of the last reading."""
        n_finished, limit = self.counts
        self._progress.update(self._bar, completed=n_finished, total=limit)
        running = list(self._list_running())
        states = format_states([trial for trial in self._trials if trial.state.is_finished()], len(running))
        return Group(self._progress, states, format_best(self._study, self._objectives), render_running(running))

    def format_line(self) -> str:
        """Write the last reading on one line."""
        n_finished, limit = self.counts
        best = find_best(self._study, self._objectives)
        score = "" if best is None else f", best {self._objectives.metrics[0]} {format_number(best.values[0])}"
        total = "" if limit is None else f" of {limit}"
        return f"{n_finished}{total} trials, {len(list(self._list_running()))} running{score}"

    def _print_changes(self) -> None:
        shown = None
        while True:
            if (line := self.format_line()) != shown:
                self._out.print(line, markup=False)
                shown = line
            if not self.is_running:
                return
            time.sleep(POLL_SECONDS)
            self.read()

    def _list_running(self) -> Iterator[RunningRow]:
        here = {name for name, process in read_sessions(self._study.user_attrs).items() if _is_here(process)}
        for trial in self._trials if self.is_running else ():
            if trial.state.name != "RUNNING":
                continue
            # Optuna's times are local ones without a zone: those of another machine say nothing here.
            started = None if here.isdisjoint(list_owners(trial)) else trial.datetime_start
            seconds = None if started is None else (datetime.now() - started).total_seconds()
            last = max(trial.intermediate_values, default=None)
            reported = None if last is None else (last, trial.intermediate_values[last])
            yield RunningRow(trial.number, format_params(trial.params), seconds, reported)


def _is_here(process: dict[str, Any]) -> bool:
    return bool(process.get("machine") == identify_machine())

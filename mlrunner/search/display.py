"""What a person sees of a search while it runs: a table that stays in place on a terminal, a line a trial elsewhere."""

from __future__ import annotations

import re
import sys
import time
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text

from mlrunner.core.overrides import folder_of, shell
from mlrunner.core.terminal import console, number, spread
from mlrunner.search.loop import Ended, Running
from mlrunner.search.results import best_of, valid
from mlrunner.search.workers import Step

if TYPE_CHECKING:
    from mlrunner.search.loop import Search

MARKS = {"COMPLETE": ("✓", "green"), "PRUNED": ("◦", "yellow"), "FAIL": ("✗", "red")}
SHORT = 72
QUOTED = re.compile(r"^(\w+=)'(\d+(?:_\d+)+)'$")  # an option that the front door quotes by itself


def command(overrides: tuple[str, ...]) -> str:
    """Write the command that runs a trial by itself."""
    alone = [text for text in overrides if not text.startswith(("sweep=", "output=", "hydra"))]
    plain = [QUOTED.sub(r"\1\2", text) for text in alone]
    return shell(["mlrunner", *folder_of(sys.argv), *plain])


class Quiet:
    """Shows nothing, for programs."""

    def __enter__(self) -> Quiet:
        return self

    def __exit__(self, *raised: object) -> None:
        """Nothing is open."""

    def __call__(self, event: Any) -> None:
        """Pass over an event."""


class Lines(Quiet):
    """A line for each trial that ended."""

    def __init__(self, search: Search) -> None:
        self._search, self._console = search, console()
        self._width = len(str(search.limit))

    def __call__(self, event: Any) -> None:
        """Tell of a trial that ended, or of Ctrl-C."""
        if isinstance(event, Ended):
            for line in self.lines(event):
                self._console.print(line)
        elif event == 1:
            self._console.print(Text("interrupted: the running trials finish; once more stops them too", "yellow"))

    def lines(self, ended: Ended) -> list[Text]:
        """Write the line of a trial; for a failed one also how to run it alone."""
        found = ended.found
        mark, style = MARKS[found.state]
        goal = self._search.goal
        values = [f"{name} {number(value)}" for name, value in zip(goal.metrics, goal.values(found), strict=True)]
        deviation = spread(found.metrics, goal.metrics[0])
        told = found.error or ", ".join(values) + (f" ± {deviation:.2g}" if deviation is not None else "")
        again = f" (again, for trial {ended.attempt_of})" if ended.attempt_of is not None else ""
        line = Text.assemble(
            (f"{mark} ", style),
            (f"{found.number:>{self._width}}  ", "dim"),
            f"{ended.draft.launch.name}{again}  ",
            (f"pruned at {told}" if found.state == "PRUNED" else told, style),
            (f"  {found.seconds:.2f} s", "dim"),
        )
        failed = [Text(f"  {' ' * self._width}run it alone: {command(ended.draft.overrides)}", "dim")]
        return [line, *(failed if found.state == "FAIL" else [])]


class Board(Lines):
    """A table that stays in place: progress, the best, what runs; failures scroll by above it."""

    def __init__(self, search: Search) -> None:
        super().__init__(search)
        self._progress = Progress(
            TextColumn("  {task.description}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[left]}", style="dim"),
            console=self._console,
        )
        self._bar = self._progress.add_task("search", total=search.limit, left="")
        self._live = Live(self._picture(), console=self._console, refresh_per_second=4, get_renderable=self._picture)
        self._began, self._ended = time.monotonic(), 0
        self._steps: dict[int, Step] = {}

    def __enter__(self) -> Board:
        self._live.__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        """Leave the last picture standing."""
        self._live.__exit__(*raised)

    def __call__(self, event: Any) -> None:
        """Take an event in; failures are told in lines that stay."""
        if isinstance(event, Step):
            self._steps[event.number] = event
        if isinstance(event, Ended):
            self._ended += 1
        if not isinstance(event, Running | Step) and (not isinstance(event, Ended) or event.found.state == "FAIL"):
            super().__call__(event)

    def _picture(self) -> Group:
        trials = valid(self._search.study)
        done = [one for one in trials if one.state.is_finished()]
        self._progress.update(self._bar, completed=len(done), left=self._left(len(done)))
        states = {state: sum(one.state.name == state for one in done) for state in MARKS}
        told = Text.assemble(
            "  ", (f"{states['COMPLETE']} complete", "green"), "  ", (f"{states['PRUNED']} pruned", "yellow"), "  ",
            (f"{states['FAIL']} failed", "red" if states["FAIL"] else "dim"), "  ",
            f"{len(self._search.running)} running",
        )  # fmt: skip
        return Group(self._progress, told, self._best(trials), self._runs())

    def _left(self, done: int) -> str:
        if not getattr(self, "_ended", 0):
            return ""
        each = (time.monotonic() - self._began) / self._ended
        seconds = int(each * max(0, self._search.limit - done))
        return f"{seconds // 60}:{seconds % 60:02d} left"

    def _best(self, trials: list[Any]) -> Text:
        best = best_of(trials, self._search.goal)
        if best is None:
            return Text("  best     none yet", "dim")
        name = ", ".join(f"{key.rpartition('.')[2]}={_value(value)}" for key, value in best.params.items())
        told = f"{self._search.goal.metrics[0]} {number(best.values[0])}"
        return Text.assemble(("  best     ", "dim"), (told, "bold green"), f"  trial {best.number}  {name[:SHORT]}")

    def _runs(self) -> Table:
        table = Table.grid(padding=(0, 1))
        for one in list(self._search.running.values()):
            step = self._steps.get(one.draft.number)
            at = f"at {step.step}: {number(step.value)}" if step is not None else ""
            seconds = f"{time.time() - one.began:.0f} s"
            table.add_row("  running ", str(one.draft.number), one.draft.launch.name[:SHORT], seconds, at, style="dim")
        return table


def _value(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def show(search: Search, text: bool) -> Quiet:
    """Choose how a search is shown.

    Args:
        search: That begins now.
        text: Whether people read it, and not a program.
    """
    if not text:
        return Quiet()
    return Board(search) if console().is_terminal else Lines(search)

"""The table of a running search, and the choice of its display."""

from __future__ import annotations

import io
import time
from typing import Any

import pytest
from rich.console import Console

from mlrunner.search.display import LineDisplay, SilentDisplay
from mlrunner.search.executor import Step
from mlrunner.search.table_display import TableDisplay, choose_display
from mlrunner.search.trial_attributes import VOID
from tests.support.displays import build_finished, build_search, finish_trial, start_trial


def render(table: TableDisplay) -> str:
    """Render the table on a wide terminal."""
    out = Console(file=io.StringIO(), width=160, color_system=None)
    out.print(table._render())
    file: Any = out.file
    return str(file.getvalue())


def test_json_output_has_no_display(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = choose_display(build_search(), is_text=False)
    assert type(chosen) is SilentDisplay
    with chosen as show:
        show(build_finished(0, "FAIL", error="it broke"))
        show(1)
    assert capsys.readouterr().out == ""


def test_a_pipe_gets_lines_and_a_terminal_a_table() -> None:
    assert type(choose_display(build_search(), is_text=True)) is LineDisplay
    terminal = Console(file=io.StringIO(), force_terminal=True)
    assert type(choose_display(build_search(), is_text=True, out=terminal)) is TableDisplay


def test_a_table_before_the_first_trial() -> None:
    text = render(TableDisplay(build_search()))
    assert "0/20" in text
    assert "0 complete  0 pruned  0 failed  0 running" in text
    assert "best     none yet" in text
    assert "left" not in text


def test_a_table_does_not_count_discarded_trials() -> None:
    search = build_search()
    best = [finish_trial(search, value) for value in (0.25, 0.75, 0.5)][1]
    finish_trial(search, state="PRUNED")
    finish_trial(search, state="FAIL")
    discarded = start_trial(search)
    del search.running[discarded.trial.number]
    search.queue.discard(discarded.trial.number, "interrupted")
    assert VOID in search.queue.trials[-1].user_attrs
    text = render(TableDisplay(search))
    assert "5/20" in text
    assert "3 complete  1 pruned  1 failed  0 running" in text
    share = search.study.get_trials()[best].params["rf:model.estimator.x"]
    assert f"best     r2 0.75  trial {best}  x={share:.3g}" in text


def test_a_table_shows_running_trials_and_their_steps() -> None:
    search = build_search()
    table = TableDisplay(search)
    start_trial(search, started=time.time() - 42)
    start_trial(search, started=time.time())
    table(Step(1, 50, 0.6251))
    lines = [" ".join(line.split()) for line in render(table).splitlines()]
    assert "running 0 x=0.0 42 s" in lines
    assert "running 1 x=0.1 0 s at 50: 0.6251" in lines
    assert any("2 running" in line for line in lines)


def test_the_remaining_time_ignores_earlier_sessions() -> None:
    search = build_search()
    for _ in range(9):
        finish_trial(search, 0.5)
    table = TableDisplay(search)
    assert "left" not in render(table)
    table(build_finished(finish_trial(search, 0.5), metrics={"r2": 0.5}))
    table._started = time.monotonic() - 6.05
    assert "1:00 left" in render(table)


def test_the_remaining_time_is_never_negative() -> None:
    search = build_search(limit=2)
    table = TableDisplay(search)
    table._n_finished = 3
    assert table._format_remaining(3) == "0:00 left"


def test_a_table_prints_lines_of_failures_only() -> None:
    file = io.StringIO()
    terminal = Console(file=file, force_terminal=True, width=160)
    search = build_search()
    with choose_display(search, is_text=True, out=terminal) as table:
        table(start_trial(search))
        table(Step(0, 1, 0.5))
        table(build_finished(0, metrics={"r2": 0.123}))
        table(build_finished(1, "FAIL", error="it broke"))
        table(1)
    text = file.getvalue()
    assert "r2 0.123" not in text
    assert "it broke" in text
    assert "run it alone" in text
    assert "interrupted: the running trials finish" in text

"""The displays of a running search, and the command that runs a trial alone."""

from __future__ import annotations

import io
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.storages import InMemoryStorage
from rich.console import Console

from mlrunner.composition import Launch
from mlrunner.search import display
from mlrunner.search.dimension import Dimension
from mlrunner.search.display import LineDisplay, SilentDisplay, TableDisplay, choose_display, format_command
from mlrunner.search.executor import Step
from mlrunner.search.loop import Search
from mlrunner.search.objective import Objectives
from mlrunner.search.space import Space
from mlrunner.search.trial import TrialResult
from mlrunner.search.trial_attributes import VOID
from mlrunner.search.trial_preparation import PreparedTrial
from mlrunner.search.trial_progress import FinishedTrial, RunningTrial
from tests.support.sweeps import build_settings, close_all, open_study_in, start_queue

UP = Objectives(("r2",), ("maximize",))
BOTH = Objectives(("r2", "fit_seconds"), ("maximize", "minimize"))
X = FloatDistribution(0, 1)
SPACE = Space((), (Dimension("rf:model.estimator.x", "model.estimator.x", X, "interval(0,1)", "rf"),), "rf")


@pytest.fixture(autouse=True)
def _close_queues() -> Iterator[None]:
    yield
    close_all()


def build_search(objectives: Objectives = UP, limit: int = 20) -> Search:
    """Build a search without a started trial."""
    directions: Any = list(objectives.directions)
    study = open_study_in(InMemoryStorage(), "day/time", *directions)
    unused: Any = None
    return Search(build_settings(), objectives, SPACE, study, start_queue(study, limit), unused, unused)


def prepare(number: int, *overrides: str) -> PreparedTrial:
    texts = overrides or (f"model.estimator.x={number / 10}",)
    return PreparedTrial(number, texts, (), Launch({}, list(texts), Path("/sweep") / str(number), number), {})


def build_finished(number: int, state: Any = "COMPLETE", retry_of: int | None = None, **values: Any) -> FinishedTrial:
    return FinishedTrial(prepare(number), TrialResult(number, state, seconds=1.234, **values), None, 0.0, retry_of)


def start(search: Search, **values: Any) -> RunningTrial:
    """Start a trial of the study."""
    trial = search.queue.take(lambda trial: trial.suggest_float("rf:model.estimator.x", 0, 1) >= 0)
    assert trial is not None
    search.running[trial.number] = RunningTrial(trial, prepare(trial.number), None, **values)
    return search.running[trial.number]


def finish(search: Search, value: float | None = None, state: str = "COMPLETE") -> int:
    running = start(search)
    del search.running[running.trial.number]
    search.study.tell(running.trial, value, optuna.trial.TrialState[state])
    return running.trial.number


def render(table: TableDisplay) -> str:
    """Render the table on a wide terminal."""
    out = Console(file=io.StringIO(), width=160, color_system=None)
    out.print(table._render())
    file: Any = out.file
    return str(file.getvalue())


# The command


@pytest.mark.parametrize(
    ("overrides", "command"),
    [
        (("model=rf", "seed=1"), "mlrunner model=rf seed=1"),
        (("sweep=optuna", "output=json", "hydra/sweeper=optuna", "hydra.sweeper.n_trials=3", "x=1"), "mlrunner x=1"),
        (("split='80_20'",), "mlrunner split=80_20"),
        (("split='70_15_15'", "model=rf"), "mlrunner split=70_15_15 model=rf"),
        (("dataset.name='a b'",), "mlrunner \"dataset.name='a b'\""),
        (("model.x=[1, 2]", "+model.y=null"), "mlrunner 'model.x=[1, 2]' +model.y=null"),
        ((), "mlrunner"),
    ],
    ids=["plain", "the sweep's", "option", "longer option", "text", "list", "default"],
)
def test_the_command_runs_a_trial_alone(overrides: tuple[str, ...], command: str) -> None:
    assert shlex.split(format_command(overrides, ())) == shlex.split(command)


def test_the_command_has_the_folder_of_configuration() -> None:
    assert format_command(["model=mine"], ("-cd", "my conf")) == "mlrunner -cd 'my conf' model=mine"


@pytest.mark.parametrize("text", ["dataset.name='2024_01'", "+model.estimator.tag='1_2'"])
def test_a_quoted_text_of_digits_keeps_its_quotes(text: str) -> None:
    assert shlex.split(format_command((text,), ())) == ["mlrunner", text]


# Lines


@pytest.mark.parametrize(
    ("trial", "lines"),
    [
        (build_finished(3, metrics={"r2": 0.98765}), ["✓  3  x=0.3  r2 0.9877  1.23 s"]),
        (build_finished(12, metrics={"r2": -1234.5}), ["✓ 12  x=1.2  r2 -1,234  1.23 s"]),
        (build_finished(3, metrics={"r2": 0.5, "cv/r2_std": 0.0123}), ["✓  3  x=0.3  r2 0.5 ± 0.012  1.23 s"]),
        (build_finished(3, metrics={"r2": 0.5, "validation/r2_std": 0.1}), ["✓  3  x=0.3  r2 0.5 ± 0.1  1.23 s"]),
        (build_finished(3, metrics={"r2": 0.5}, retry_of=1), ["✓  3  x=0.3 (again, for trial 1)  r2 0.5  1.23 s"]),
        (build_finished(3, metrics={"r2": 0.5}, retry_of=0), ["✓  3  x=0.3 (again, for trial 0)  r2 0.5  1.23 s"]),
        (build_finished(3, "PRUNED", metrics={"r2": 0.25}), ["◦  3  x=0.3  pruned at r2 0.25  1.23 s"]),
        (
            build_finished(3, "FAIL", error="r2 is nan", metrics={"r2": float("nan")}),
            ["✗  3  x=0.3  r2 is nan  1.23 s", "    run it alone: mlrunner model.estimator.x=0.3"],
        ),
        (
            build_finished(3, "FAIL", error="[bold]odd[/bold] words"),
            ["✗  3  x=0.3  [bold]odd[/bold] words  1.23 s", "    run it alone: mlrunner model.estimator.x=0.3"],
        ),
    ],
    ids=["plain", "wide", "folds", "repeats", "again", "again for the first", "pruned", "failed", "no markup"],
)  # fmt: skip
def test_a_trial_is_a_line(trial: FinishedTrial, lines: list[str]) -> None:
    assert [line.plain for line in LineDisplay(build_search()).format_lines(trial)] == lines


def test_a_line_has_all_objectives() -> None:
    trial = build_finished(3, metrics={"r2": 0.5}, fit_seconds=2.5)
    assert (
        LineDisplay(build_search(BOTH)).format_lines(trial)[0].plain == "✓  3  x=0.3  r2 0.5, fit_seconds 2.5  1.23 s"
    )


@pytest.mark.parametrize(("limit", "start"), [(5, "✓ 3  "), (50, "✓  3  "), (5000, "✓    3  ")])
def test_numbers_are_aligned(limit: int, start: str) -> None:
    line = LineDisplay(build_search(limit=limit)).format_lines(build_finished(3, metrics={"r2": 1.0}))[0]
    assert line.plain.startswith(start)


def test_lines_are_printed_as_trials_finish(capsys: pytest.CaptureFixture[str]) -> None:
    search = build_search()
    with choose_display(search, is_text=True) as show:
        show(start(search))
        show(Step(0, 1, 0.5))
        show(build_finished(0, metrics={"r2": 0.5}))
        show(build_finished(1, "FAIL", error="it broke"))
    assert capsys.readouterr().out.splitlines() == [
        "✓  0  x=0.0  r2 0.5  1.23 s",
        "✗  1  x=0.1  it broke  1.23 s",
        "    run it alone: mlrunner model.estimator.x=0.1",
    ]


def test_a_long_line_is_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    LineDisplay(build_search())(build_finished(0, "FAIL", error="word " * 100))
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize(
    ("event", "message"),
    [(1, "interrupted: the running trials finish; press Ctrl-C again to stop them\n"), (2, ""), ("other", "")],
    ids=["once", "twice", "other"],
)
def test_ctrl_c_is_reported(event: Any, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    LineDisplay(build_search())(event)
    assert capsys.readouterr().out == message


# The choice


def test_json_output_has_no_display(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = choose_display(build_search(), is_text=False)
    assert type(chosen) is SilentDisplay
    with chosen as show:
        show(build_finished(0, "FAIL", error="it broke"))
        show(1)
    assert capsys.readouterr().out == ""


def test_a_pipe_gets_lines() -> None:
    assert type(choose_display(build_search(), is_text=True)) is LineDisplay


def test_a_terminal_gets_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "console", lambda: Console(file=io.StringIO(), force_terminal=True))
    assert type(choose_display(build_search(), is_text=True)) is TableDisplay


# The table


def test_a_table_before_the_first_trial() -> None:
    text = render(TableDisplay(build_search()))
    assert "0/20" in text
    assert "0 complete  0 pruned  0 failed  0 running" in text
    assert "best     none yet" in text
    assert "left" not in text


def test_a_table_does_not_count_discarded_trials() -> None:
    search = build_search()
    best = [finish(search, value) for value in (0.25, 0.75, 0.5)][1]
    finish(search, state="PRUNED")
    finish(search, state="FAIL")
    discarded = start(search)
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
    start(search, started=time.time() - 42)
    start(search, started=time.time())
    table(Step(1, 50, 0.6251))
    lines = [" ".join(line.split()) for line in render(table).splitlines()]
    assert "running 0 x=0.0 42 s" in lines
    assert "running 1 x=0.1 0 s at 50: 0.6251" in lines
    assert any("2 running" in line for line in lines)


def test_a_table_shows_the_remaining_time() -> None:
    search = build_search()
    table = TableDisplay(search)
    for _ in range(5):
        table(build_finished(finish(search, 0.5), metrics={"r2": 0.5}))
    table._started = time.monotonic() - 50.5  # five trials in so many seconds, fifteen are left
    assert "2:31 left" in render(table)


def test_the_remaining_time_ignores_earlier_sessions() -> None:
    search = build_search()
    for _ in range(9):
        finish(search, 0.5)
    table = TableDisplay(search)
    assert "left" not in render(table)
    table(build_finished(finish(search, 0.5), metrics={"r2": 0.5}))
    table._started = time.monotonic() - 6.05
    assert "1:00 left" in render(table)


def test_the_remaining_time_is_never_negative() -> None:
    search = build_search(limit=2)
    table = TableDisplay(search)
    table._n_finished = 3
    assert table._format_remaining(3) == "0:00 left"


def test_a_table_prints_lines_of_failures_only(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    monkeypatch.setattr(display, "console", lambda: Console(file=file, force_terminal=True, width=160))
    search = build_search()
    with choose_display(search, is_text=True) as table:
        table(start(search))
        table(Step(0, 1, 0.5))
        table(build_finished(0, metrics={"r2": 0.123}))
        table(build_finished(1, "FAIL", error="it broke"))
        table(1)
    text = file.getvalue()
    assert "r2 0.123" not in text
    assert "it broke" in text
    assert "run it alone" in text
    assert "interrupted: the running trials finish" in text


@pytest.mark.parametrize(
    ("value", "text"), [(0.123456, "0.123"), (1e-7, "1e-07"), (3, "3"), ("full", "full"), (None, "None")]
)
def test_parameters_are_short(value: Any, text: str) -> None:
    assert display._format_param(value) == text

"""What a person sees of a search: a line a trial, a table that stays in place, the command to run a trial alone."""

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
from mlrunner.search import display, study_setup
from mlrunner.search.display import Board, Lines, Quiet, command
from mlrunner.search.grammar import Dimension
from mlrunner.search.loop import Ended, Running, Search
from mlrunner.search.objective import Goal
from mlrunner.search.space import Space
from mlrunner.search.trial import Found
from mlrunner.search.trial_preparation import Draft
from mlrunner.search.trial_queue import VOID, Claims
from mlrunner.search.workers import Step
from tests.unit.search.test_trial_queue import claiming, let_go, told

UP = Goal(("r2",), ("maximize",))
BOTH = Goal(("r2", "fit_seconds"), ("maximize", "minimize"))
X = FloatDistribution(0, 1)
SPACE = Space((), (Dimension("rf:model.estimator.x", "model.estimator.x", X, "interval(0,1)", "rf"),), "rf")


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    let_go()


def searching(goal: Goal = UP, limit: int = 20) -> Search:
    """A search that has begun nothing yet."""
    ways: Any = list(goal.directions)
    study = study_setup.open_study(InMemoryStorage(), "day/time", ways, told())
    nobody: Any = None
    return Search(told(), goal, SPACE, study, claiming(study, limit), nobody, nobody)


def draft(number: int, *overrides: str) -> Draft:
    texts = overrides or (f"model.estimator.x={number / 10}",)
    return Draft(number, texts, (), Launch({}, list(texts), Path("/sweep") / str(number), number), {})


def ended(number: int, state: Any = "COMPLETE", again: int | None = None, **found: Any) -> Ended:
    return Ended(draft(number), Found(number, state, seconds=1.234, **found), None, 0.0, again)


def take(search: Search, **values: Any) -> Running:
    """Begin a trial in the study."""
    claims: Claims = search.claims
    trial = claims.take(lambda one: one.suggest_float("rf:model.estimator.x", 0, 1) >= 0)
    assert trial is not None
    search.running[trial.number] = Running(trial, draft(trial.number), None, **values)
    return search.running[trial.number]


def finish(search: Search, value: float | None = None, state: str = "COMPLETE") -> int:
    running = take(search)
    del search.running[running.trial.number]
    search.study.tell(running.trial, value, optuna.trial.TrialState[state])
    return running.trial.number


def picture(board: Board) -> str:
    """What the table looks like on a wide terminal."""
    out = Console(file=io.StringIO(), width=160, color_system=None)
    out.print(board._picture())
    file: Any = out.file
    return str(file.getvalue())


# The command


@pytest.mark.parametrize(
    ("overrides", "told"),
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
def test_the_command_runs_a_trial_alone(overrides: tuple[str, ...], told: str) -> None:
    assert shlex.split(command(overrides)) == shlex.split(told)


@pytest.mark.parametrize("text", ["dataset.name='2024_01'", "+model.estimator.tag='1_2'"])
def test_a_text_of_digits_stays_a_text(text: str) -> None:
    assert shlex.split(command((text,))) == ["mlrunner", text]


# Lines


@pytest.mark.parametrize(
    ("one", "lines"),
    [
        (ended(3, metrics={"r2": 0.98765}), ["✓  3  x=0.3  r2 0.9877  1.23 s"]),
        (ended(12, metrics={"r2": -1234.5}), ["✓ 12  x=1.2  r2 -1,234  1.23 s"]),
        (ended(3, metrics={"r2": 0.5, "cv/r2_std": 0.0123}), ["✓  3  x=0.3  r2 0.5 ± 0.012  1.23 s"]),
        (ended(3, metrics={"r2": 0.5, "validation/r2_std": 0.1}), ["✓  3  x=0.3  r2 0.5 ± 0.1  1.23 s"]),
        (ended(3, metrics={"r2": 0.5}, again=1), ["✓  3  x=0.3 (again, for trial 1)  r2 0.5  1.23 s"]),
        (ended(3, metrics={"r2": 0.5}, again=0), ["✓  3  x=0.3 (again, for trial 0)  r2 0.5  1.23 s"]),
        (ended(3, "PRUNED", metrics={"r2": 0.25}), ["◦  3  x=0.3  pruned at r2 0.25  1.23 s"]),
        (
            ended(3, "FAIL", error="r2 is nan", metrics={"r2": float("nan")}),
            ["✗  3  x=0.3  r2 is nan  1.23 s", "    run it alone: mlrunner model.estimator.x=0.3"],
        ),
        (
            ended(3, "FAIL", error="[bold]odd[/bold] words"),
            ["✗  3  x=0.3  [bold]odd[/bold] words  1.23 s", "    run it alone: mlrunner model.estimator.x=0.3"],
        ),
    ],
    ids=["plain", "wide", "folds", "repeats", "again", "again for the first", "pruned", "failed", "no markup"],
)  # fmt: skip
def test_a_trial_is_a_line(one: Ended, lines: list[str]) -> None:
    made = Lines(searching())
    assert [line.plain for line in made.lines(one)] == lines


def test_all_objectives_are_told() -> None:
    one = ended(3, metrics={"r2": 0.5}, fit_seconds=2.5)
    assert Lines(searching(BOTH)).lines(one)[0].plain == "✓  3  x=0.3  r2 0.5, fit_seconds 2.5  1.23 s"


@pytest.mark.parametrize(("limit", "told"), [(5, "✓ 3  "), (50, "✓  3  "), (5000, "✓    3  ")])
def test_numbers_stand_below_each_other(limit: int, told: str) -> None:
    assert Lines(searching(limit=limit)).lines(ended(3, metrics={"r2": 1.0}))[0].plain.startswith(told)


def test_lines_are_printed_as_trials_end(capsys: pytest.CaptureFixture[str]) -> None:
    search = searching()
    with display.show(search, text=True) as shown:
        shown(take(search))
        shown(Step(0, 1, 0.5))
        shown(ended(0, metrics={"r2": 0.5}))
        shown(ended(1, "FAIL", error="it broke"))
    assert capsys.readouterr().out.splitlines() == [
        "✓  0  x=0.0  r2 0.5  1.23 s",
        "✗  1  x=0.1  it broke  1.23 s",
        "    run it alone: mlrunner model.estimator.x=0.1",
    ]


def test_a_long_line_is_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    Lines(searching())(ended(0, "FAIL", error="word " * 100))
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize(
    ("event", "told"),
    [(1, "interrupted: the running trials finish; once more stops them too\n"), (2, ""), ("other", "")],
    ids=["once", "twice", "other"],
)
def test_ctrl_c_is_told(event: Any, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    Lines(searching())(event)
    assert capsys.readouterr().out == told


# Which is shown


def test_a_program_is_shown_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    shown = display.show(searching(), text=False)
    assert type(shown) is Quiet
    with shown as inside:
        inside(ended(0, "FAIL", error="it broke"))
        inside(1)
    assert capsys.readouterr().out == ""


def test_a_pipe_is_shown_lines() -> None:
    assert type(display.show(searching(), text=True)) is Lines


def test_a_terminal_is_shown_a_board(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "console", lambda: Console(file=io.StringIO(), force_terminal=True))
    assert type(display.show(searching(), text=True)) is Board


# The board


def test_a_board_before_the_first_trial() -> None:
    text = picture(Board(searching()))
    assert "0/20" in text
    assert "0 complete  0 pruned  0 failed  0 running" in text
    assert "best     none yet" in text
    assert "left" not in text


def test_a_board_counts_what_counts() -> None:
    search = searching()
    best = [finish(search, value) for value in (0.25, 0.75, 0.5)][1]
    finish(search, state="PRUNED")
    finish(search, state="FAIL")
    void = take(search)
    del search.running[void.trial.number]
    search.claims.void(void.trial.number, "interrupted")
    assert VOID in search.claims.trials[-1].user_attrs
    text = picture(Board(search))
    assert "5/20" in text
    assert "3 complete  1 pruned  1 failed  0 running" in text
    share = search.study.get_trials()[best].params["rf:model.estimator.x"]
    assert f"best     r2 0.75  trial {best}  x={share:.3g}" in text


def test_a_board_shows_what_runs_and_how_far_it_is() -> None:
    search = searching()
    board = Board(search)
    take(search, began=time.time() - 42)
    take(search, began=time.time())
    board(Step(1, 50, 0.6251))
    lines = [" ".join(line.split()) for line in picture(board).splitlines()]
    assert "running 0 x=0.0 42 s" in lines
    assert "running 1 x=0.1 0 s at 50: 0.6251" in lines
    assert any("2 running" in line for line in lines)


def test_a_board_tells_the_time_that_is_left() -> None:
    search = searching()
    board = Board(search)
    for _ in range(5):
        board(ended(finish(search, 0.5), metrics={"r2": 0.5}))
    board._began = time.monotonic() - 50.5  # five trials in so many seconds, fifteen are left
    assert "2:31 left" in picture(board)


def test_trials_of_an_earlier_session_do_not_shorten_the_time() -> None:
    search = searching()
    for _ in range(9):
        finish(search, 0.5)
    board = Board(search)
    assert "left" not in picture(board)
    board(ended(finish(search, 0.5), metrics={"r2": 0.5}))
    board._began = time.monotonic() - 6.05
    assert "1:00 left" in picture(board)


def test_more_trials_than_planned_leave_no_time() -> None:
    search = searching(limit=2)
    board = Board(search)
    board._ended = 3
    assert board._left(3) == "0:00 left"


def test_a_board_leaves_lines_of_failures_only(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    monkeypatch.setattr(display, "console", lambda: Console(file=file, force_terminal=True, width=160))
    search = searching()
    with display.show(search, text=True) as board:
        board(take(search))
        board(Step(0, 1, 0.5))
        board(ended(0, metrics={"r2": 0.123}))
        board(ended(1, "FAIL", error="it broke"))
        board(1)
    text = file.getvalue()
    assert "r2 0.123" not in text
    assert "it broke" in text
    assert "run it alone" in text
    assert "interrupted: the running trials finish" in text


@pytest.mark.parametrize(
    ("value", "told"), [(0.123456, "0.123"), (1e-7, "1e-07"), (3, "3"), ("full", "full"), (None, "None")]
)
def test_values_are_short(value: Any, told: str) -> None:
    assert display._value(value) == told

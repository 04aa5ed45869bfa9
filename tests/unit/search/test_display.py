"""Lines of finished trials, and the command that runs a trial alone."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from mlrunner.core.progress_file import PROGRESS_VARIABLE, Progress, read
from mlrunner.search.display import LineDisplay, ProgressDisplay, format_command
from mlrunner.search.executor import Step
from mlrunner.search.table_display import choose_display
from mlrunner.search.trial_progress import AWAITING, FinishedTrial
from tests.support.displays import BOTH, build_finished, build_search, finish_trial, start_trial


@pytest.mark.parametrize(
    ("overrides", "command"),
    [
        (("model=rf", "seed=1"), "mlrunner model=rf seed=1"),
        (("sweep=optuna", "output=json", "hydra/sweeper=optuna", "hydra.sweeper.n_trials=3", "x=1"), "mlrunner x=1"),
        (("split='70_15_15'",), "mlrunner split=70_15_15"),
        (("dataset.name='a b'",), "mlrunner \"dataset.name='a b'\""),
        (("model.x=[1, 2]", "+model.y=null"), "mlrunner 'model.x=[1, 2]' +model.y=null"),
    ],
    ids=["plain", "the sweep's", "option", "text", "list"],
)
def test_the_command_runs_a_trial_alone(overrides: tuple[str, ...], command: str) -> None:
    assert shlex.split(format_command(overrides, ())) == shlex.split(command)


def test_the_command_has_the_folder_of_configuration() -> None:
    assert format_command(["model=mine"], ("-cd", "my conf")) == "mlrunner -cd 'my conf' model=mine"


@pytest.mark.parametrize("text", ["dataset.name='2024_01'", "+model.estimator.tag='1_2'"])
def test_a_quoted_text_of_digits_keeps_its_quotes(text: str) -> None:
    assert shlex.split(format_command((text,), ())) == ["mlrunner", text]


@pytest.mark.parametrize(
    ("trial", "lines"),
    [
        (build_finished(3, metrics={"r2": 0.98765}), ["✓  3  x=0.3  r2 0.9877  1.23 s"]),
        (build_finished(12, metrics={"r2": -1234.5}), ["✓ 12  x=1.2  r2 -1,234  1.23 s"]),
        (build_finished(3, metrics={"r2": 0.5, "cv/r2_std": 0.0123}), ["✓  3  x=0.3  r2 0.5 ± 0.012  1.23 s"]),
        (build_finished(3, metrics={"r2": 0.5}, retry_of=0), ["✓  3  x=0.3 (again, for trial 0)  r2 0.5  1.23 s"]),
        (build_finished(3, "PRUNED", metrics={"r2": 0.25}), ["◦  3  x=0.3  pruned at r2 0.25  1.23 s"]),
        (
            build_finished(3, "FAIL", error="[bold]odd[/bold] words"),
            ["✗  3  x=0.3  [bold]odd[/bold] words  1.23 s", "    run it alone: mlrunner model.estimator.x=0.3"],
        ),
    ],
    ids=["plain", "wide", "folds", "again for the first", "pruned", "failed without markup"],
)  # fmt: skip
def test_a_trial_is_a_line(trial: FinishedTrial, lines: list[str]) -> None:
    assert [line.plain for line in LineDisplay(build_search()).format_lines(trial)] == lines


def test_a_line_has_all_objectives() -> None:
    trial = build_finished(3, metrics={"r2": 0.5}, fit_seconds=2.5)
    assert (
        LineDisplay(build_search(BOTH)).format_lines(trial)[0].plain == "✓  3  x=0.3  r2 0.5, fit_seconds 2.5  1.23 s"
    )


@pytest.mark.parametrize(("limit", "start"), [(5, "✓ 3  "), (5000, "✓    3  ")])
def test_numbers_are_aligned(limit: int, start: str) -> None:
    line = LineDisplay(build_search(limit=limit)).format_lines(build_finished(3, metrics={"r2": 1.0}))[0]
    assert line.plain.startswith(start)


def test_lines_are_printed_as_trials_finish(capsys: pytest.CaptureFixture[str]) -> None:
    search = build_search()
    with choose_display(search, is_text=True) as show:
        show(start_trial(search))
        show(Step(0, 1, 0.5))
        show(build_finished(0, metrics={"r2": 0.5}))
        show(build_finished(1, "FAIL", error="it broke" * 100))
    assert capsys.readouterr().out.splitlines() == [  # a long line is not broken
        "✓  0  x=0.0  r2 0.5  1.23 s",
        f"✗  1  x=0.1  {'it broke' * 100}  1.23 s",
        "    run it alone: mlrunner model.estimator.x=0.1",
    ]


def test_what_a_search_waits_for_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    show = LineDisplay(build_search())
    for _ in range(3):
        show(AWAITING)
    assert capsys.readouterr().out == f"{AWAITING}\n"


@pytest.mark.parametrize(
    ("event", "message"),
    [(1, "interrupted: the running trials finish; press Ctrl-C again to stop them\n"), (2, ""), (3, "")],
    ids=["once", "twice", "other"],
)
def test_ctrl_c_is_reported(event: Any, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    LineDisplay(build_search())(event)
    assert capsys.readouterr().out == message


def test_another_process_gets_a_line_for_each_finished_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search = build_search(limit=5)
    finish_trial(search, 0.25)  # in an earlier session
    monkeypatch.setenv(PROGRESS_VARIABLE, str(tmp_path / "progress"))
    show = choose_display(search, is_text=False)
    assert type(show) is ProgressDisplay
    finish_trial(search, 0.75)
    show(build_finished(1))
    show(1)
    assert read(tmp_path / "progress") == [Progress(4, "r2 0.75")]

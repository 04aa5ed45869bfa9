"""Lines of a run's steps on the terminal."""

from __future__ import annotations

import pytest

from mlrunner.steps.progress import TRAINING_STEPS, print_steps, show_progress


@show_progress
def divide(rows: int) -> int:
    return rows


@show_progress
def train() -> None:
    raise ValueError("no convergence")


@show_progress
def other() -> None:
    pass


def test_steps_print_their_time_and_skipped_steps_are_cached(capsys: pytest.CaptureFixture[str]) -> None:
    with print_steps(TRAINING_STEPS):
        assert divide(3) == 3
        other()
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[:2] for line in lines] == [["✓", "ingest"], ["✓", "clean"], ["✓", "divide"]]
    assert [line[2] for line in lines[:2]] == ["cached", "cached"]
    assert lines[2][3] == "s"


def test_failed_step_prints_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="no convergence"), print_steps(["train"]):
        train()
    assert "✓" not in capsys.readouterr().out


def test_nothing_is_printed_outside_of_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    divide(1)
    with print_steps(TRAINING_STEPS), print_steps(None):
        divide(2)
    divide(3)
    assert capsys.readouterr().out == ""

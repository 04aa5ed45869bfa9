"""Lines of a run's steps on the terminal."""

from __future__ import annotations

import pytest

from mlrunner.steps.progress import TRAINING_STEPS, print_steps, show_finished, show_step


def divide(rows: int) -> int:
    with show_step("divide"):
        return rows


def train() -> None:
    with show_step("train"):
        raise ValueError("no convergence")


def other() -> None:
    with show_step("other"):
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


def test_steps_that_ran_elsewhere_print_their_time_in_the_order_of_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    show_finished({"train": 1.0})
    with print_steps(["clean", "train", "deploy"]):
        show_finished({"train": 12.345, "other": 2.0, "deploy": 0.5, "clean": None})
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [["✓", "clean", "cached"], ["✓", "train", "12.35", "s"], ["✓", "deploy", "0.50", "s"]]

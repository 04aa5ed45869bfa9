"""A comparison in a terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.console import Console

from mlrunner.history.diff import compare, terminal_output
from mlrunner.history.diff.overrides import OverrideDiff
from mlrunner.history.diff.structure import Change
from tests.support.sides import make_comparison, make_side


def test_command_is_one_line_in_a_narrow_terminal() -> None:
    comparison = make_comparison()
    line = OverrideDiff((), tuple(f"model.estimator.key_{number}=1" for number in range(9)))
    out = Console(record=True, width=40, color_system=None)
    terminal_output.print_comparison(replace(comparison, overrides=(line,)), out)
    assert f"  mlrunner {' '.join(line.command)}" in out.export_text().splitlines()


def test_signs_differences_and_verdicts() -> None:
    comparison = make_comparison()
    out = Console(record=True, width=160, color_system=None)
    terminal_output.print_comparison(comparison, out)
    text = out.export_text()
    assert "~ model.depth" in text
    assert "+ added" in text
    assert "+0.25" in text
    assert "better?" in text


def test_following_values_are_counted() -> None:
    change = Change("model.depth", (1, 2), follows="model")
    out = Console(record=True, width=60, color_system=None)
    terminal_output.print_comparison(replace(compare((make_side(), make_side())), values=(change,)), out)
    assert "values\n  1 follows from model (--all)\n" in out.export_text()


@pytest.mark.parametrize("width", [80, 200])
def test_four_sides_fit_the_terminal(width: int) -> None:
    """Scores of several sides are laid out one below the other where they would be broken."""
    metrics = {f"test/{name}": 0.123456 for name in ("r2", "median_absolute_error")}
    letters = "abcd"
    comparison = compare([make_side({"model": {"key" * 9: f"/long/{name}" * 9}}, metrics) for name in letters])
    out = Console(record=True, width=width, color_system=None)
    terminal_output.print_comparison(comparison, out)
    text = out.export_text()
    assert all(len(line.rstrip()) <= width for line in text.splitlines())
    assert [name for name in "BCD" if f"{name} - A" in " ".join(text.split())] == list("BCD")
    assert all(f"{name}" in text.partition("values")[2].partition("scores")[0] for name in "ABCD")


def test_table_as_wide_as_the_terminal_is_not_broken() -> None:
    comparison = compare([make_side(metrics={"test/median_absolute_error": value}) for value in (0.7344, 0.7049)])
    wide, exact = (Console(record=True, width=width, color_system=None) for width in (200, 71))
    for out in (wide, exact):
        terminal_output.print_comparison(comparison, out)
    lines = [[line.rstrip() for line in out.export_text().splitlines()] for out in (wide, exact)]
    assert max(map(len, lines[0])) == 71
    assert lines[0] == lines[1]


@pytest.mark.parametrize("width", [30, 70])
def test_only_names_are_broken_beside_scores(width: int) -> None:
    comparison = compare([make_side(metrics={"test/median_absolute_error": value}) for value in (0.7344, 0.7049)])
    out = Console(record=True, width=width, color_system=None)
    terminal_output.print_comparison(comparison, out)
    lines = out.export_text().partition("scores")[2].splitlines()
    (scored,) = [line.split() for line in lines if "0.7344" in line]
    assert scored[1:] == ["0.7344", "0.7049", "-0.0295", "-", "better?"]
    end = next(place for place, line in enumerate(lines) if "noise unknown" in line)
    begin = [line.split()[0] for line in lines[2:end]]
    assert "".join(begin) == "test/median_absolute_error"
    assert all(part[-1] in "/_" for part in begin[:-1])
    assert max(map(len, lines[:end])) <= max(width, 60)


def test_blank_line_between_tables() -> None:
    comparison = compare([make_side(metrics={"test/r2": value}) for value in (0.5, 0.6, 0.7)])
    out = Console(record=True, width=60, color_system=None)
    terminal_output.print_comparison(comparison, out)
    lines = [line.rstrip() for line in out.export_text().splitlines()]
    (second,) = [place for place, line in enumerate(lines) if "C - A" in line]
    assert lines[second - 1] == ""
    assert "0.6" in lines[second - 2]


def test_str_and_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    comparison = make_comparison()
    monkeypatch.setenv("FORCE_COLOR", "1")
    out = Console(record=True, width=240, color_system=None)
    terminal_output.print_comparison(comparison, out)
    assert str(comparison) == "\n".join(line.rstrip() for line in out.export_text().splitlines())
    assert repr(comparison) == "<Comparison of name and name>"

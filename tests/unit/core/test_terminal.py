"""What is printed for people."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import pytest
from rich.table import Table
from rich.text import Text

from mlrunner.core import terminal
from mlrunner.core.errors import ConfigError, MlrunnerError, ProblemsError
from tests.support.outcomes import make_outcome

NAN = float("nan")
OUTCOME = make_outcome()


@pytest.mark.parametrize(
    ("gate", "deployment", "lines"),
    [
        (None, None, []),
        ({"open": False, "reason": "test/r2 0.1 is below 0.2"}, None, ["gate      closed: test/r2 0.1 is below 0.2"]),
        (
            {"open": True, "reason": "good"},
            {"name": "olist", "version": 3, "url": None, "where": "in the registry, alias champion"},
            ["gate      open: good", "deployed  olist version 3 in the registry, alias champion"],
        ),
        ({"open": True, "reason": "good"}, {"error": "no port"}, ["gate      open: good"]),
    ],
    ids=["without a gate", "closed", "deployed", "failed"],
)
def test_gate_and_deployment_are_printed(
    gate: dict[str, Any] | None, deployment: dict[str, Any] | None, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.show_deployment(gate, deployment)
    assert [line.strip() for line in capsys.readouterr().out.splitlines()] == lines


@pytest.mark.parametrize(
    ("path", "shown"), [("a/b", "a/b"), (".", "."), ("../x", None)], ids=["below", "here", "beside"]
)
def test_a_path_here_is_shortened(
    path: str, shown: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    whole = str(tmp_path / path)
    assert terminal.relative_path(whole) == (whole if shown is None else shown)


def test_ranking_is_plain_and_whole_when_piped(capsys: pytest.CaptureFixture[str]) -> None:
    name = "model.estimator.learning_rate=0.1,model.estimator.max_depth=8,split=stratified_kfold"
    best = make_outcome(job=2, name=name, metrics={**OUTCOME.metrics, "cv/r2_std": 0.01})
    failed = dataclasses.replace(
        OUTCOME, job=1, name="model=svm", objective=NAN, error="it broke " * 20, metrics={}, run_id=None
    )
    terminal.show_ranking([best, OUTCOME, failed], "/sweep")
    out, err = capsys.readouterr()
    assert err == ""
    assert "\x1b" not in out
    lines = [line.rstrip() for line in out.splitlines() if line.strip()]
    assert lines[0].split() == ["rank", "job", "composition", "r2", "test", "fit", "total", "run", "or", "error"]
    assert lines[1].split() == ["1", "2", name, "0.5", "±", "0.01", "0.25", "1.23", "s", "2.35", "s", "01234567"]
    assert lines[2].split() == ["2", "0", "model=rf", "0.5", "0.25", "1.23", "s", "2.35", "s", "01234567"]
    assert lines[3].split()[:7] == ["-", "1", "model=svm", "-", "-", "-", "2.35"]
    assert lines[3].endswith("it broke it broke it broke it broke it broke it broke [...]")
    assert lines[4].split() == ["folder", "/sweep"]


def test_each_question_has_a_ranking_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = [
        make_outcome(job=job, name=f"t={job}", question=text) for job, text in enumerate(["tip", "fare", "tip"])
    ]
    terminal.show_ranking(outcomes, "/sweep")
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert [line[:3] for line in lines] == [
        ["tip,", "by", "r2"], ["rank", "job", "composition"], ["1", "0", "t=0"], ["2", "2", "t=2"],
        ["fare,", "by", "r2"], ["rank", "job", "composition"], ["1", "1", "t=1"], ["folder", "/sweep"],
    ]  # fmt: skip


def test_a_ranking_of_failures_has_no_metric(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_ranking([make_outcome(objective=NAN, error="it broke", metric="x")], "/sweep")
    assert capsys.readouterr().out.split()[:4] == ["rank", "job", "composition", "objective"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({}, "✓   0  model=rf  r2 0.5  2.35 s\n"),
        ({"job": 12, "objective": NAN}, "✓  12  model=rf  r2 -  2.35 s\n"),
        ({"error": "it broke"}, "✗   0  model=rf  it broke  2.35 s\n"),
    ],
    ids=["finished", "undefined", "failed"],
)
def test_a_job_of_a_grid_is_one_line(change: dict[str, Any], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_job(make_outcome(**change))
    assert capsys.readouterr().out == line


@pytest.mark.parametrize(
    ("error", "printed"),
    [
        (ConfigError("a is wrong."), "mlrunner: a is wrong.\n"),
        (ProblemsError(["a is wrong.", "b too."]), "mlrunner: a is wrong.\nmlrunner: b too.\n"),
        (ConfigError("[bold]a[/bold] is [wrong]."), "mlrunner: [bold]a[/bold] is [wrong].\n"),
        (ConfigError("word " * 100 + "."), "mlrunner: " + "word " * 100 + ".\n"),
    ],
    ids=["one", "several", "brackets", "long"],
)
def test_problems_go_to_stderr_one_line_each(
    error: MlrunnerError, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.show_problems(error)
    assert capsys.readouterr() == ("", printed)


def test_texts_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    text = "dataset.ignore=[alive] :cat: [/x] 'a' 12"
    terminal.console().print(text)
    terminal.console().print(f"run {text}", style="dim")
    table = Table(f"[{text}]", box=None, padding=0)
    table.add_row(text)
    terminal.console().print(table)
    assert [line.strip() for line in capsys.readouterr().out.splitlines()] == [text, f"run {text}", f"[{text}]", text]


def test_a_warning_begins_with_the_name_that_silences_it(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_warnings([{"name": "leaking_columns", "text": "alive alone tells survived; dataset.ignore=[alive]."}])
    assert capsys.readouterr().out == (
        "  warning   leaking_columns: alive alone tells survived; dataset.ignore=[alive].\n"
    )


@pytest.mark.parametrize("text", ["\x1b]0;title\x07", "\x1b[31m", "\x9b2J", "\u202e", "\x08\r\x7f"])
def test_control_characters_of_a_store_do_not_reach_the_terminal(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    rest = text.lstrip("\x1b\x9b\u202e\x08\r\x7f").rstrip("\x07")
    terminal.show_problems(ConfigError(f"run a{text}b; the newest are\nc\td"))
    assert capsys.readouterr().err.replace("\t", " ").split() == f"mlrunner: run a{rest}b; the newest are c d".split()
    table = Table(f"a{text}b")
    table.add_row(Text(f"c{text}d"))
    terminal.console().print(table, Text(f"e{text}f"), f"g{text}h")
    out = capsys.readouterr().out
    assert all(f"{first}{rest}{last}" in out for first, last in ("ab", "cd", "ef", "gh"))
    assert not set(out) & set("\x1b\x9b\u202e\x08\r\x7f\x07")


def test_a_console_keeps_its_own_styles() -> None:
    out = io.StringIO()
    terminal.SafeConsole(file=out, force_terminal=True, color_system="standard").print(Text("a\x1bb", "bold"))
    assert out.getvalue() == "\x1b[1mab\x1b[0m\n"


@pytest.mark.parametrize("is_terminal", [False, True])
def test_a_document_loses_control_characters_on_a_terminal_only(
    is_terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stream(io.StringIO):
        def isatty(self) -> bool:
            return is_terminal

    monkeypatch.setattr("sys.stdout", stream := Stream())
    terminal.print_text("a,\x1b]0;title\x07b\n\tc\u202e", end="")
    assert stream.getvalue() == ("a,]0;titleb\n\tc" if is_terminal else "a,\x1b]0;title\x07b\n\tc\u202e")

"""What a person sees, as text; and the outcome as programs read it."""

from __future__ import annotations

import dataclasses
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mlrunner.core import terminal
from mlrunner.core.errors import ConfigError, MlrunnerError, ProblemsError
from mlrunner.core.formatting import format_number
from mlrunner.core.outcome import Outcome
from mlrunner.core.terminal import show_deployment
from mlrunner.execution.output import list_next_steps, make_metrics_table

NAN, INF = float("nan"), float("inf")
OUTCOME = Outcome(
    name="model=rf",
    status="FINISHED",
    metric="r2",
    direction="maximize",
    objective=0.5,
    seconds=2.345,
    fit_seconds=1.234,
    score_seconds=0.5,
    metrics={"r2": 0.5, "train/r2": 0.75, "validation/r2": 0.5, "test/r2": 0.25},
    run_id="0123456789abcdef",
    model_uri="models:/m-1",
    folder="/home/multirun/2026-01-31/12-00-00",
    job=0,
)


@pytest.mark.parametrize(
    ("value", "spread", "told"),
    [
        (None, None, "-"),
        (NAN, None, "-"),
        (NAN, 0.1, "-"),
        (0.0, None, "0"),
        (0.123456, None, "0.1235"),
        (-0.5, None, "-0.5"),
        (1234.56, None, "1,235"),
        (9999.4, None, "9,999"),
        (9999.6, None, "10,000"),
        (-9999.6, None, "-10,000"),
        (1234567.8, None, "1,234,568"),
        (0.00001234, None, "1.234e-05"),
        (INF, None, "inf"),
        (0.5, 0.0, "0.5 ± 0"),
        (0.51234, 0.01234, "0.5123 ± 0.012"),
    ],
)
def test_number(value: float | None, spread: float | None, told: str) -> None:
    assert format_number(value, spread) == told


def lines(metrics: dict[str, float], chosen: str) -> list[list[str]]:
    """The cells of a metrics table as they are printed."""
    out = Console(width=200, force_terminal=False)
    with out.capture() as captured:
        out.print(make_metrics_table(metrics, chosen))
    return [line.replace("±", " ± ").split() for line in captured.get().splitlines()]


@pytest.mark.parametrize(
    ("metrics", "chosen", "expected"),
    [
        (
            {"train/r2": 0.9, "train/mae": 1.0, "validation/r2": 0.5, "validation/mae": 2.0}
            | {"test/r2": 0.25, "test/mae": 3.0, "mae": 2.0},
            "mae",
            [["metric", "train", "validation", "test"], ["mae", "1", "2", "3"], ["r2", "0.9", "0.5", "0.25"]],
        ),
        (
            {"test/r2": 0.25, "cv/r2": 0.5, "cv/r2_std": 0.1, "r2": 0.5, "fit_seconds": 3.0},
            "r2",
            [["metric", "cv", "test"], ["r2", "0.5", "±", "0.1", "0.25"]],
        ),
        (
            {"train/r2": 0.9, "train/mape": NAN, "test/mape": 1.0},
            "r2",
            [["metric", "train", "test"], ["r2", "0.9", "-"], ["mape", "-", "1"]],
        ),
        ({}, "r2", [["metric"], ["r2"]]),
    ],
    ids=["chosen-first", "folds", "gaps", "none"],
)  # fmt: skip
def test_metrics_table(metrics: dict[str, float], chosen: str, expected: list[list[str]]) -> None:
    assert lines(metrics, chosen) == expected


def test_only_the_objective_is_marked() -> None:
    table = make_metrics_table({"test/mae": 1.0, "test/r2": 0.5}, "r2")
    assert [row.style for row in table.rows] == ["bold", ""]


def runs(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name / ".hydra").mkdir(parents=True)
    return folder / names[-1]


def test_where_next_after_a_first_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = runs(tmp_path / "day", "12-00")
    told = list_next_steps(dataclasses.replace(OUTCOME, folder=str(folder)), ["model=rf", "split.test=0.3"])
    assert told == {
        "mlflow": "mlrunner ui 01234567  # run 0123456789abcdef",
        "folder": "day/12-00",
        "again": "mlrunner model=rf split.test=0.3",
        "reproduce": "mlrunner reproduce 01234567",
        "deploy": "mlrunner deploy 01234567",
    }


def test_what_is_deployed_is_not_offered_again() -> None:
    where = {
        "name": "olist",
        "version": 1,
        "url": "http://127.0.0.1:8000",
        "where": "at http://127.0.0.1:8000/invocations",
    }
    told = list_next_steps(dataclasses.replace(OUTCOME, deployment=where), [])
    assert "deploy" not in told
    assert told["next"] == "mlrunner status, rollback, history, stop"
    failed = list_next_steps(dataclasses.replace(OUTCOME, deployment={"error": "no port"}), [])
    assert failed["deploy"] == "mlrunner deploy 01234567"


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
    ids=["not asked", "closed", "deployed", "failed"],
)
def test_gate_and_deployment_are_told(
    gate: dict[str, Any] | None, deployment: dict[str, Any] | None, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    show_deployment(gate, deployment)
    assert [line.strip() for line in capsys.readouterr().out.splitlines()] == lines


def test_the_diff_is_to_the_run_just_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runs(tmp_path / "my day", "10-00", "11-00", "13-00", "12-00")
    told = list_next_steps(dataclasses.replace(OUTCOME, folder=str(tmp_path / "my day" / "12-00")), [])
    assert told["diff"] == "mlrunner diff latest~1 01234567"


def test_without_a_saved_model_there_is_nothing_to_serve() -> None:
    assert "serve" not in list_next_steps(dataclasses.replace(OUTCOME, model_uri=None), [])


@pytest.mark.parametrize(
    "overrides", [[], ["dataset.path=my file.csv"], ["+dataset.options={sep: ';'}", "a=$HOME", "b='c'"]]
)
def test_the_command_that_was_typed_can_be_pasted(overrides: list[str]) -> None:
    assert shlex.split(list_next_steps(OUTCOME, overrides)["again"]) == ["mlrunner", *overrides]


@pytest.mark.parametrize(
    ("path", "told"), [("a/b", "a/b"), (".", "."), ("../x", None)], ids=["below", "here", "beside"]
)
def test_relative(path: str, told: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    whole = str(tmp_path / path)
    assert terminal.relative_path(whole) == (whole if told is None else told)


@pytest.mark.parametrize("value", [NAN, INF, -INF], ids=["nan", "infinite", "minus-infinite"])
def test_what_json_has_no_number_for_is_null(value: float) -> None:
    outcome = dataclasses.replace(OUTCOME, objective=value, metrics={"test/mape": value, "r2": 0.5}, run_id=None)
    read = json.loads(outcome.json(), parse_constant=pytest.fail)
    assert (read["objective"], read["metrics"], read["run_id"]) == (None, {"test/mape": None, "r2": 0.5}, None)


def test_json_keeps_the_rest() -> None:
    assert json.loads(OUTCOME.json()) == dataclasses.asdict(OUTCOME)


def test_ranking_is_plain_and_whole_when_piped(capsys: pytest.CaptureFixture[str]) -> None:
    name = "model.estimator.learning_rate=0.1,model.estimator.max_depth=8,split=stratified_kfold"
    best = dataclasses.replace(OUTCOME, job=2, name=name, metrics={**OUTCOME.metrics, "cv/r2_std": 0.01})
    failed = dataclasses.replace(
        OUTCOME, job=1, name="model=svm", objective=NAN, error="it broke " * 20, metrics={}, run_id=None
    )
    terminal.show_ranking([best, OUTCOME, failed], "/sweep")
    out, err = capsys.readouterr()
    assert err == ""
    assert "\x1b" not in out
    told = [line.rstrip() for line in out.splitlines() if line.strip()]
    assert told[0].split() == ["rank", "job", "composition", "r2", "test", "fit", "total", "run", "or", "error"]
    assert told[1].split() == ["1", "2", name, "0.5", "±", "0.01", "0.25", "1.23", "s", "2.35", "s", "01234567"]
    assert told[2].split() == ["2", "0", "model=rf", "0.5", "0.25", "1.23", "s", "2.35", "s", "01234567"]
    assert told[3].split()[:7] == ["-", "1", "model=svm", "-", "-", "-", "2.35"]
    assert told[3].endswith("it broke it broke it broke it broke it broke it broke [...]")
    assert told[4].split() == ["folder", "/sweep"]


def test_a_ranking_of_failures_has_no_metric(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_ranking([dataclasses.replace(OUTCOME, objective=NAN, error="it broke", metric="x")], "/sweep")
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
def test_a_composition_of_a_grid_is_one_line(
    change: dict[str, Any], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.show_job(dataclasses.replace(OUTCOME, **change))
    assert capsys.readouterr().out == line


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConfigError("a is wrong."), "mlrunner: a is wrong.\n"),
        (ProblemsError(["a is wrong.", "b too."]), "mlrunner: a is wrong.\nmlrunner: b too.\n"),
        (ConfigError("[bold]a[/bold] is [wrong]."), "mlrunner: [bold]a[/bold] is [wrong].\n"),
        (ConfigError("word " * 100 + "."), "mlrunner: " + "word " * 100 + ".\n"),
    ],
    ids=["one", "several", "brackets", "long"],
)
def test_problems_go_to_stderr_a_line_each(error: MlrunnerError, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_problems(error)
    assert capsys.readouterr() == ("", told)

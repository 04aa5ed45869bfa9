"""What is printed before and after a run."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from rich.console import Console

from mlrunner.execution.output import list_next_steps, make_metrics_table
from tests.support.outcomes import make_outcome

NAN = float("nan")
OUTCOME = make_outcome()


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
    assert [row.style for row in table.rows] == ["bold", None]


def runs(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name / ".hydra").mkdir(parents=True)
    return folder / names[-1]


def test_where_next_after_a_first_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = runs(tmp_path / "day", "12-00")
    steps = list_next_steps(make_outcome(folder=str(folder)), ["model=rf", "split.test=0.3"])
    assert steps == {
        "mlflow": "mlrunner ui 01234567  # run 0123456789abcdef",
        "folder": "day/12-00",
        "again": "mlrunner model=rf split.test=0.3",
        "reproduce": "mlrunner reproduce 01234567",
        "deploy": "mlrunner deploy 01234567",
    }


def test_a_sweep_before_a_first_run_is_offered_for_comparison(tmp_path: Path) -> None:
    folder = runs(tmp_path / "day", "12-00")
    (tmp_path / "day" / "11-00").mkdir()
    (tmp_path / "day" / "11-00" / "multirun.yaml").write_text("x: 1\n")
    assert list_next_steps(make_outcome(folder=str(folder)), [])["diff"] == "mlrunner diff latest~1 01234567"


def test_what_is_deployed_is_not_offered_again() -> None:
    where = {
        "name": "olist",
        "version": 1,
        "url": "http://127.0.0.1:8000",
        "where": "at http://127.0.0.1:8000/invocations",
    }
    steps = list_next_steps(make_outcome(deployment=where), [])
    assert "deploy" not in steps
    assert steps["next"] == "mlrunner status, rollback, history, stop"
    failed = list_next_steps(make_outcome(deployment={"error": "no port"}), [])
    assert failed["deploy"] == "mlrunner deploy 01234567"


def test_the_diff_is_to_the_run_just_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runs(tmp_path / "my day", "10-00", "11-00", "13-00", "12-00")
    steps = list_next_steps(make_outcome(folder=str(tmp_path / "my day" / "12-00")), [])
    assert steps["diff"] == "mlrunner diff latest~1 01234567"


def test_without_a_saved_model_there_is_nothing_to_serve() -> None:
    assert "serve" not in list_next_steps(make_outcome(model_uri=None), [])


def test_a_command_with_a_hidden_secret_says_so() -> None:
    again = list_next_steps(OUTCOME, ["dataset.url=postgresql://u:pw@h/d"])["again"]
    assert again == "mlrunner 'dataset.url=postgresql://u:***@h/d'  # with the secret in place of ***"


@pytest.mark.parametrize(
    "overrides", [[], ["dataset.path=my file.csv"], ["+dataset.options={sep: ';'}", "a=$HOME", "b='c'"]]
)
def test_the_command_that_was_typed_can_be_pasted(overrides: list[str]) -> None:
    assert shlex.split(list_next_steps(OUTCOME, overrides)["again"]) == ["mlrunner", *overrides]

"""Leaderboard, failures and scores."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from mlrunner.core.table import TableRow
from mlrunner.history.report import pictures, render_report, tables
from mlrunner.history.report.content import SUMMARY
from mlrunner.tracking.records.record import STUDY_TAG
from tests.support.reports import make_grid, make_outcome


def cells(row: TableRow) -> list[str]:
    return [cell.text for cell in row.cells]


def test_leaderboard_and_failures(tmp_path: Path) -> None:
    outcomes = [
        make_outcome(0, 0.4),
        make_outcome(1, 0.9, metrics={"r2": 0.9, "cv/r2": 0.9, "cv/r2_std": 0.0123}),
        make_outcome(2, 0.95, status="PRUNED"),
        make_outcome(3, math.nan, status="FAILED", error="broke"),
        make_outcome(4, 0.9),
    ]
    content = make_grid(tmp_path, outcomes, best=1)
    board, failed = tables.make_leaderboard(content), tables.make_failures(content)
    assert board is not None
    assert failed is not None
    assert [row.cells[-2].text for row in board.rows] == ["1", "4", "0", "2"]
    assert [row.style for row in board.rows] == ["best", "", "", "pruned"]
    assert [row.cells[0].text for row in board.rows] == ["1", "2", "3", "pruned"]
    assert (board.rows[0].cells[1].text, board.rows[0].cells[1].note) == ("0.9000", "± 0.012")
    assert board.rows[0].cells[1].exact == "0.9"
    assert cells(failed.rows[0]) == ["3", "model=ridge,alpha=3", "broke"]


def test_each_target_of_a_grid_has_a_leaderboard_of_its_own(tmp_path: Path) -> None:
    jobs = [("tip", "r2", 0.9), ("good", "log_loss", 0.4), ("tip", "r2", 0.95), ("good", "log_loss", 0.3)]
    ways = {"r2": "maximize", "log_loss": "minimize"}
    outcomes = [
        make_outcome(number, value, question=name, metric=metric, direction=ways[metric], metrics={metric: value})
        for number, (name, metric, value) in enumerate(jobs)
    ]
    failed = make_outcome(4, math.nan, status="FAILED", error="broke", metric="objective")
    content = make_grid(tmp_path, [*outcomes, failed], best=None)
    boards = tables.make_leaderboards(content)
    jobs_in_order = {name: [cells(row)[0::5][:2] for row in board.rows] for name, board in boards.items()}
    assert jobs_in_order == {
        "good, by log_loss": [["1", "3"], ["2", "1"]],
        "tip, by r2": [["1", "2"], ["2", "0"]],
    }
    assert [row.style for board in boards.values() for row in board.rows] == ["best", "", "best", ""]
    assert (content.lead, content.best, list(pictures.cost_pictures(content))) == (None, None, [])
    page = render_report(content)
    assert page.count("<h3>tip, by r2</h3>") == page.count("<h3>good, by log_loss</h3>") == 1
    assert "none of all: the leaderboards do not compare" in page
    single = make_grid(tmp_path, outcomes[:1])
    assert list(tables.make_leaderboards(single)) == [""]


def test_several_objectives(tmp_path: Path) -> None:
    search_summary = {
        "metrics": ["r2", "fit_seconds"],
        "directions": ["maximize", "minimize"],
        "solutions": [{"number": 1}],
    }
    (tmp_path / "eeee").mkdir()
    (tmp_path / "eeee" / SUMMARY).write_text(json.dumps(search_summary))
    content = make_grid(tmp_path, [make_outcome(0, 0.9), make_outcome(1, 0.8)], **{STUDY_TAG: "mine"})
    board = tables.make_leaderboard(content)
    assert board is not None
    assert [column.name for column in board.columns] == [
        "rank", "r2", "fit_seconds", "composition", "total", "trial", "run"
    ]  # fmt: skip
    assert [row.style for row in board.rows] == ["best", "front"]
    assert cells(board.rows[1])[1:3] == ["0.8000", "0.2000"]
    assert [row.cells[0].note for row in board.rows] == ["", "front"]  # and not by a colour alone


def test_scores_by_part() -> None:
    metrics = {"train/mae": 1.0, "train/r2": 0.123456, "cv/r2": 0.1, "cv/r2_std": 0.02, "r2": 0.1, "fit_seconds": 3.0}
    table = tables.make_scores(metrics, "r2")
    assert table is not None
    assert [column.name for column in table.columns] == ["metric", "train", "folds"]
    assert [cells(row) for row in table.rows] == [["r2", "0.1235", "0.1000"], ["mae", "1.000", "-"]]
    assert table.rows[0].cells[2].note == "± 0.02"
    assert tables.make_scores({"r2": 1.0}, "r2") is None


def test_the_importances_of_the_features_of_a_column_are_added_up() -> None:
    features = [("x", "x", -0.5), ("kind_u", "kind", 0.25), ("kind_v", "kind", 0.5)]
    text = json.dumps([{"feature": name, "column": column, "importance": value} for name, column, value in features])
    table = tables.make_importances(text)
    assert table is not None
    assert [cells(row) for row in table.rows] == [["kind", "0.7500", "2"], ["x", "0.5000", "1"]]
    assert tables.make_importances(None) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.48, "0.4800"),
        (1, "1.000"),
        (-12.3456, "-12.35"),
        (1234.4, "1,234"),
        (123456.7, "123,457"),
        (0, "0.000"),
        (0.00001234, "1.234e-05"),
        (math.inf, "inf"),
    ],
)
def test_numbers_have_four_significant_digits(value: float, text: str) -> None:
    assert tables.number_cell(value).text == text


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("model=rf,max_depth=8", ("model=rf", "max_depth=8")),
        ("default", ("default",)),
        ("drop=[a,b],x={k:1,l:2},+y=1", ("drop=[a,b]", "x={k:1,l:2}", "+y=1")),
        ("winner,model=rf", ("winner", "model=rf")),
        ("a=1,~b.c,d=2,~e", ("a=1", "~b.c", "d=2", "~e")),
        ("model=ridge,rf", ("model=ridge,rf",)),
        ("", ("",)),
    ],
)
def test_name_is_split_between_overrides(name: str, parts: tuple[str, ...]) -> None:
    assert tables.split_name(name) == parts


def test_exact_value_is_finite() -> None:
    assert [tables.number_cell(value).exact for value in (1.5, math.inf, math.nan, None)] == ["1.5", "", "", ""]

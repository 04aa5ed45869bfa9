"""Tables of runs for a terminal and for Markdown."""

from __future__ import annotations

import json

import pytest
from rich.console import Console
from rich.text import Text

from mlrunner.history.listing.columns import select_columns
from mlrunner.history.listing.formats import fit_cells, make_table, print_json
from tests.support.entries import make_entry


def test_markdown_table() -> None:
    columns = select_columns("id,took,metrics.r2,tags.mlflow.user", False)
    assert make_table([make_entry()], columns).to_markdown().splitlines() == [
        "| id | took | metrics.r2 | tags.mlflow.user |",
        "| --- | --: | --: | --- |",
        "| aaaaaaaa | 1.00 s | 0.5 | - |",
    ]


def test_csv_and_json_have_exact_values(capsys: pytest.CaptureFixture[str]) -> None:
    entry, columns = make_entry(metrics={"r2": 1 / 3}), select_columns("id,objective,deployed", False)
    assert make_table([entry], columns).to_csv() == f"id,objective,deployed\naaaaaaaa,{1 / 3},\n"
    print_json([entry], columns)
    assert json.loads(capsys.readouterr().out) == [{"id": "aaaaaaaa", "objective": 1 / 3, "deployed": None}]
    print_json([entry], None)
    assert json.loads(capsys.readouterr().out) == [entry.document()]


def test_wide_letters_need_two_columns() -> None:
    cells = {column: [Text("模型" * 9)] for column in select_columns("id,name,when", False)}
    assert [column.name for column in fit_cells(cells, Console(width=75))] == ["id", "name"]


def test_markdown_escapes_cells() -> None:
    entry = make_entry(name="a|b <c> *d* `e`\nf", tags={})
    text = make_table([entry], select_columns("id,differs", False)).to_markdown()
    assert text.splitlines()[2] == r"| aaaaaaaa | a\|b \<c> \*d\* \`e\` f |"

"""One table, in every format."""

import csv
import io
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as some
from rich.console import Console

from mlrunner.core.table import Table, TableCell, TableColumn, TableRow, escape_markdown

COLUMNS = (TableColumn("run"), TableColumn("r2", is_number=True))
TABLE = Table(
    COLUMNS,
    (
        TableRow((TableCell("rf", "rf"), TableCell("0.5", 0.512345, "better")), "best"),
        TableRow((TableCell("a|b <i>", "a|b <i>"), TableCell("-", math.nan))),
    ),
)


def test_text_is_aligned() -> None:
    out = Console(width=80, color_system=None)
    with out.capture() as captured:
        out.print(TABLE.to_rich())
    assert [line.rstrip() for line in captured.get().splitlines()] == ["run       r2", "rf       0.5", "a|b <i>    -"]


def test_csv_holds_exact_values() -> None:
    assert TABLE.to_csv() == "run,r2\nrf,0.512345\na|b <i>,nan\n"


def test_json_has_null_for_nan() -> None:
    assert json.loads(TABLE.to_json()) == [{"run": "rf", "r2": 0.512345}, {"run": "a|b <i>", "r2": None}]


def test_markdown_is_escaped() -> None:
    assert TABLE.to_markdown() == "| run | r2 |\n| --- | --: |\n| rf | 0.5 |\n| a\\|b \\<i> | - |"


def test_html_is_escaped_and_has_classes() -> None:
    assert TABLE.to_html("scores") == (
        '<table class="scores"><thead><tr><th scope="col">run</th>'
        '<th scope="col" class="number">r2</th></tr></thead><tbody>'
        '<tr class="best"><th scope="row">rf</th><td class="number better">0.5</td></tr>'
        '<tr><th scope="row">a|b &lt;i&gt;</th><td class="number">-</td></tr></tbody></table>'
    )


def test_a_row_has_as_many_cells_as_there_are_columns() -> None:
    with pytest.raises(ValueError, match="a row has 1 cells, but the table has 2 columns"):
        Table(COLUMNS, (TableRow((TableCell("rf"),)),))


TEXTS = some.text(some.characters(exclude_characters="\r\0"))


@given(some.lists(some.tuples(TEXTS, TEXTS), max_size=4))
def test_csv_can_be_read_again(texts: list[tuple[str, str]]) -> None:
    table = Table(COLUMNS, tuple(TableRow(tuple(TableCell(text, text) for text in pair)) for pair in texts))
    sink = io.StringIO(table.to_csv(), newline="")
    assert [tuple(line) for line in csv.reader(sink)][1:] == texts
    assert [tuple(record.values()) for record in json.loads(table.to_json())] == texts


@given(some.text())
def test_a_cell_of_markdown_is_one_line_without_a_bare_bar(text: str) -> None:
    escaped = escape_markdown(text)
    assert "\n" not in escaped
    assert "|" not in escaped.replace("\\\\", "").replace("\\|", "")

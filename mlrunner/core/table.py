"""A table that can be written as text, CSV, Markdown, HTML or JSON."""

from __future__ import annotations

import csv
import html
import io
import json
import math
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlrunner.core.formatting import nan_to_none, remove_controls

if TYPE_CHECKING:
    from rich.table import Table as RichTable

GAP = 2  # spaces between columns of text
WIDE = 100_000  # characters; no line is broken
STYLES = {
    "best": "bold",
    "front": "bold",
    "better": "green",
    "worse": "red",
    "added": "green",
    "removed": "red",
    "changed": "yellow",
    "pruned": "yellow",
    "failed": "red",
}
SPECIAL = re.compile(r"\b_|_\b|[\\|*<`]")  # what Markdown reads as markup within a cell


@dataclass(frozen=True)
class TableColumn:
    """A column of a table.

    Args:
        name: Header, and key in JSON.
        is_number: Whether the cells hold numbers, which are aligned to the right.
        note: Smaller text below the header in a report; empty for none.
    """

    name: str
    is_number: bool = False
    note: str = ""


@dataclass(frozen=True)
class TableCell:
    """A cell of a table.

    Args:
        text: Text for people.
        value: Exact value for CSV and JSON: any value that JSON can hold; None for a missing value.
        style: Name in `STYLES`, or a style of Rich such as `bold green`; in HTML a class. Empty for none.
        note: Smaller text after the text in a report; empty for none.
        pieces: Parts of the text between which a report may break the line; empty if it may not.
    """

    text: str
    value: Any = None
    style: str = ""
    note: str = ""
    pieces: tuple[str, ...] = ()

    @property
    def exact(self) -> str:
        """A number with all digits; empty if it is missing or not finite."""
        return "" if self.value is None or not math.isfinite(self.value) else repr(self.value)


@dataclass(frozen=True)
class TableRow:
    """A row of a table, with as many cells as the table has columns; `style` is as in `TableCell`."""

    cells: tuple[TableCell, ...]
    style: str = ""


@dataclass(frozen=True)
class Table:
    """Columns and rows."""

    columns: tuple[TableColumn, ...]
    rows: tuple[TableRow, ...]

    def __post_init__(self) -> None:
        """Refuse a row that has more or fewer cells than there are columns."""
        for row in self.rows:
            if len(row.cells) != len(self.columns):
                raise ValueError(f"a row has {len(row.cells)} cells, but the table has {len(self.columns)} columns")

    def to_rich(self) -> RichTable:
        """Build a table without borders for Rich's console; names that are not in `STYLES` are styles of Rich."""
        from rich.table import Table as RichTable
        from rich.text import Text

        table = RichTable(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim")
        for column in self.columns:
            justify: Any = "right" if column.is_number else "left"
            table.add_column(column.name, justify=justify, overflow="fold")
        for row in self.rows:
            cells = (Text(cell.text, STYLES.get(cell.style, cell.style)) for cell in row.cells)
            table.add_row(*cells, style=STYLES.get(row.style, row.style) or None)
        return table

    def to_csv(self) -> str:
        """Write a header and a line a row, with exact values."""
        sink = io.StringIO()
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow([column.name for column in self.columns])
        writer.writerows([cell.value for cell in row.cells] for row in self.rows)
        return sink.getvalue()

    def to_json(self) -> str:
        """Write a list of objects with exact values; NaN becomes null."""
        names = [column.name for column in self.columns]
        records = [dict(zip(names, (cell.value for cell in row.cells), strict=True)) for row in self.rows]
        return json.dumps(nan_to_none(records), default=str)

    def to_markdown(self) -> str:
        """Write a table that GitHub renders."""
        rules = ["--:" if column.is_number else "---" for column in self.columns]
        lines = [[escape_markdown(column.name) for column in self.columns], rules]
        lines += [[escape_markdown(cell.text) for cell in row.cells] for row in self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def to_html(self, name: str = "") -> str:
        """Write a `table` element; styles become classes, and the first cell of a row is its header.

        Args:
            name: Class of the table; empty for none.
        """
        head = "".join(
            f'<th scope="col"{_class(_number(column))}>{html.escape(column.name)}</th>' for column in self.columns
        )
        body = "".join(f"<tr{_class(row.style)}>{''.join(self._html_cells(row))}</tr>" for row in self.rows)
        return f"<table{_class(name)}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _html_cells(self, row: TableRow) -> Iterator[str]:
        for place, (column, cell) in enumerate(zip(self.columns, row.cells, strict=True)):
            tag, scope = ("th", ' scope="row"') if place == 0 else ("td", "")
            yield f"<{tag}{scope}{_class(_number(column), cell.style)}>{html.escape(cell.text)}</{tag}>"


def text_table(names: Iterable[str], rows: Iterable[tuple[Iterable[str], str]], words: Collection[str]) -> RichTable:
    """Build a table of texts for Rich's console.

    Args:
        names: Headers of the columns.
        rows: Texts of each row, and its style as in `TableCell`.
        words: Headers of the columns that are aligned to the left; the others hold numbers.
    """
    columns = tuple(TableColumn(name, is_number=name not in words) for name in names)
    return Table(columns, tuple(TableRow(tuple(map(TableCell, texts)), style) for texts, style in rows)).to_rich()


def escape_markdown(text: str) -> str:
    """Escape a text for a cell of a Markdown table; line breaks become spaces."""
    return SPECIAL.sub(r"\\\g<0>", " ".join(remove_controls(text).split()))


def _number(column: TableColumn) -> str:
    return "number" if column.is_number else ""


def _class(*names: str) -> str:
    present = " ".join(filter(None, names))
    return f' class="{html.escape(present)}"' if present else ""

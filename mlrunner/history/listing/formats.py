"""Print runs and sweeps as a table for a terminal, CSV, Markdown or JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from mlrunner.core.table import GAP, WIDE, Table, TableCell, TableColumn, TableRow
from mlrunner.core.terminal import console
from mlrunner.history.listing.columns import EMPTY_CELL, EntryColumn, format_minute
from mlrunner.history.listing.entries import Entry

OVERRIDES_COLUMN = "differs"
OVERRIDES_WIDTH = 30  # least width of the overrides, in characters
MAX_LINES, NARROW = 2, 50  # lines of the overrides in a terminal, and one more below this width
OPTIONAL = ("when", "took", "kind", "test", "status", "winner")  # left out in this order in a narrow terminal
Cells = dict[EntryColumn, list[Text]]


def make_table(entries: Sequence[Entry], columns: Sequence[EntryColumn]) -> Table:
    """Make a table with a row for each run or sweep; times are absolute."""
    columns = [with_exact_time(column) for column in columns]
    rows = (
        TableRow(tuple(TableCell(column.text(entry).plain, column.exact(entry)) for column in columns))
        for entry in entries
    )
    return Table(tuple(TableColumn(column.name, is_number=column.right) for column in columns), tuple(rows))


def print_json(entries: Sequence[Entry], columns: Sequence[EntryColumn] | None) -> None:
    """Print a list of objects with the given columns; None prints all fields."""
    if columns is None:
        print(json.dumps([entry.document() for entry in entries]))
    else:
        print(make_table(entries, columns).to_json())


def with_exact_time(column: EntryColumn) -> EntryColumn:
    """Replace ages such as `2 h ago` by times, for output that is read later."""
    if column.name != "when":
        return column
    return dataclasses.replace(column, display=lambda entry: format_minute(entry.record.start))


def print_table(entries: Sequence[Entry], columns: Sequence[EntryColumn], is_default: bool) -> None:
    """Print a table for people.

    Args:
        entries: At least one run or sweep.
        columns: Columns.
        is_default: Whether these are the default columns, which are left out if they are empty or do not fit.
    """
    out = console()
    if not out.is_terminal:
        out.width = WIDE
        columns = [with_exact_time(column) for column in columns]
    cells: Cells = {column: [column.text(entry) for entry in entries] for column in columns}
    if is_default:
        cells = {column: texts for column, texts in cells.items() if any(text.plain != EMPTY_CELL for text in texts)}
        cells = fit_cells(cells, out)
    table = RichTable(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim")
    for column in cells:
        table.add_column(
            column.name,
            justify="right" if column.right else "left",
            overflow="fold",
            no_wrap=is_default and not column.wide,
        )
    for row in zip(*cells.values(), strict=True):
        table.add_row(*row)
    out.print(table)


def fit_cells(cells: Mapping[EntryColumn, list[Text]], out: Console) -> Cells:
    """Leave out columns until the overrides fit, and cut the overrides to a few lines."""
    widths = {
        column: max(len(column.name), *(text.cell_len for text in texts)) + GAP for column, texts in cells.items()
    }
    wide = [column for column in cells if column.wide]
    fitting = dict(cells)
    for name in OPTIONAL:
        room = out.width - sum(widths[column] for column in fitting if not column.wide)
        if room >= sum(min(widths[column], OVERRIDES_WIDTH) for column in wide):
            break
        fitting = {column: texts for column, texts in fitting.items() if column.name != name}
    room = out.width - sum(widths[column] for column in fitting if column.name != OVERRIDES_COLUMN)
    for column, texts in fitting.items():
        if column.name == OVERRIDES_COLUMN and out.is_terminal:
            fitting[column] = [_clip(text, max(room, OVERRIDES_WIDTH) - GAP, out) for text in texts]
    return fitting


def _clip(text: Text, width: int, out: Console) -> Text:
    lines = text.wrap(out, width, overflow="fold")
    limit = MAX_LINES + (width < NARROW)
    if len(lines) <= limit:
        return text
    last = lines[limit - 1]
    last.truncate(width - 2)
    return Text("\n").join([*lines[: limit - 1], Text.assemble(last.plain.rstrip(), " …")])

"""Print entries: a table for a terminal, CSV, Markdown, JSON."""

from __future__ import annotations

import csv
import dataclasses
import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mlrunner.core.terminal import console
from mlrunner.history.listing.columns import NOTHING, Column, moment
from mlrunner.history.listing.entries import Entry

UNBROKEN = 100_000  # columns where there is no terminal: a line a run
READABLE = 30  # columns that what differs should have at least
WIDEST = "differs"
LINES, NARROW = 2, 50  # of what differs in a terminal, and one more below so many columns
SPARED = ("when", "took", "kind", "test", "status", "winner")  # left out in this order where a terminal is narrow
GAP = 2


def as_json(entries: Sequence[Entry], columns: Sequence[Column] | None) -> None:
    """Print a list of objects: of the columns that were asked for, or of all there is."""
    told = [
        entry.document() if columns is None else {column.name: column.exact(entry) for column in columns}
        for entry in entries
    ]
    print(json.dumps(told))


def as_csv(entries: Sequence[Entry], columns: Sequence[Column]) -> None:
    """Print a header and a line an entry, numbers in full."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    writer.writerows([column.exact(entry) for column in columns] for entry in entries)


def as_markdown(entries: Sequence[Entry], columns: Sequence[Column]) -> None:
    """Print a table that GitHub renders."""
    lines = [[_escaped(column.name) for column in columns], ["--:" if column.right else "---" for column in columns]]
    told = [dated(column) for column in columns]
    lines += [[_escaped(column.text(entry).plain) for column in told] for entry in entries]
    print("\n".join(f"| {' | '.join(line)} |" for line in lines))


def _escaped(text: str) -> str:
    for sign in "\\|*<`":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


def dated(column: Column) -> Column:
    """Have a time written as it is, for what is read later."""
    if column.name != "when":
        return column
    return dataclasses.replace(column, shown=lambda entry: moment(entry.record.start))


def as_table(entries: Sequence[Entry], columns: Sequence[Column], usual: bool) -> None:
    """Print a table for people.

    Args:
        entries: At least one.
        columns: Of the table.
        usual: Nobody asked for these columns, so those may be left out that say nothing or find no room.
    """
    out = console()
    if not out.is_terminal:
        out.width = UNBROKEN
        columns = [dated(column) for column in columns]
    cells = {column: [column.text(entry) for entry in entries] for column in columns}
    if usual:
        cells = _fitting({one: told for one, told in cells.items() if any(_tells(cell) for cell in told)}, out)
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim")
    for column in cells:
        table.add_column(
            column.name,
            justify="right" if column.right else "left",
            overflow="fold",
            no_wrap=usual and not column.wide,
        )
    for row in zip(*cells.values(), strict=True):
        table.add_row(*row)
    out.print(table)


def _tells(cell: Text) -> bool:
    return cell.plain != NOTHING


def _fitting(cells: dict[Column, list[Text]], out: Console) -> dict[Column, list[Text]]:
    """Leave columns out until what differs has room, and cut what differs to a few lines."""
    widths = {one: max(len(one.name), *(cell.cell_len for cell in told)) + GAP for one, told in cells.items()}
    wide = [one for one in cells if one.wide]
    kept = dict(cells)
    for name in SPARED:
        room = out.width - sum(widths[one] for one in kept if not one.wide)
        if room >= sum(min(widths[one], READABLE) for one in wide):
            break
        kept = {one: told for one, told in kept.items() if one.name != name}
    room = out.width - sum(widths[one] for one in kept if one.name != WIDEST)
    for one, told in kept.items():
        if one.name == WIDEST and out.is_terminal:
            kept[one] = [_clipped(cell, max(room, READABLE) - GAP, out) for cell in told]
    return kept


def _clipped(cell: Text, width: int, out: Console) -> Text:
    lines = cell.wrap(out, width, overflow="fold")
    most = LINES + (width < NARROW)
    if len(lines) <= most:
        return cell
    last = lines[most - 1]
    last.truncate(width - 2)
    return Text("\n").join([*lines[: most - 1], Text.assemble(last.plain.rstrip(), " …")])

"""Print a comparison to fit the width of a terminal."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from mlrunner.core.terminal import PLAIN, SafeConsole, console
from mlrunner.history.diff.closing_lines import EQUAL, make_closing_lines
from mlrunner.history.diff.sections import SIGNS, Section, make_sections, side_letter

if TYPE_CHECKING:
    from mlrunner.history.diff import Comparison

VALUE = 12  # least width of a value before keys are broken, and of a key beside scores
BREAKS = "/_."  # characters after which a key is broken, if it has one
STYLES = {"added": "green", "removed": "red", "changed": "yellow", "better": "green", "worse": "red", "dim": "dim"}


def print_comparison(comparison: Comparison, out: Console, whole: bool = False) -> None:
    """Print a comparison."""
    for place, side in enumerate(comparison.sides):
        out.print(Text.assemble((f"{side_letter(place)}  ", "bold cyan"), side.name), soft_wrap=True)
    for section in make_sections(comparison, whole):
        out.print(Text(f"\n{section.title}", "bold"))
        for place, table in enumerate(_tables(section, out.width)):
            if place:
                out.print()
            out.print(table, crop=False)
        if section.note is not None:
            out.print(Text(f"  {section.note}", "dim"))
    if comparison.is_same:
        out.print(f"\n{EQUAL}")
    for label, command in make_closing_lines(comparison):  # unwrapped, so that a command can be pasted
        out.print(Text.assemble((f"\n{label}\n", "bold"), ("  ", ""), (command, "cyan")), soft_wrap=True)


def to_text(comparison: Comparison) -> str:
    """Write what a terminal shows, without colours."""
    # In a notebook, Rich would print at once.
    out = SafeConsole(file=io.StringIO(), width=console().width, color_system=None, force_jupyter=False, **PLAIN)
    with out.capture() as capture:
        print_comparison(comparison, out)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def _tables(section: Section, width: int) -> Iterator[Table]:
    """Lay out a section; scores that do not fit beside each other get a table for each other side."""
    others = section.columns.count("verdict")
    if others < 2 or _needed(section) <= width:
        yield from [_table(section, width)] if section.rows else []
        return
    for place in range(others):
        columns = [0, 1, 2 + place, *range(2 + others + 3 * place, 5 + others + 3 * place)]
        rows = [(tuple(cells[index] for index in columns), style) for cells, style in section.rows]
        yield _table(Section(section.title, tuple(section.columns[index] for index in columns), tuple(rows)), width)


def _needed(section: Section) -> int:
    columns = zip(section.columns, *(cells for cells, _ in section.rows), strict=True)
    return sum(2 + max(map(len, column)) for column in columns)  # the sign before a key, and a gap before each value


def _table(section: Section, width: int) -> Table:
    is_numeric = section.title == "scores"
    colors = {name: STYLES[name] if is_numeric else "" for name in ("better", "worse")}
    value_columns = len(section.columns) - 1
    key_width = 2 + max(len(cells[0]) for cells, _ in section.rows)
    value_width, max_width = _needed(section) - key_width, None
    if is_numeric:
        key_width = min(key_width, max(VALUE, width - value_width))
    elif key_width + value_width > width:
        key_width = min(key_width, max(VALUE, width - (VALUE + 2) * value_columns))
        max_width = max(1, (width - key_width) // value_columns - 2)
    names = [_signed(cells[0], style, key_width - 2) for cells, style in section.rows]
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="dim")
    if is_numeric:  # numbers are not broken, however narrow the terminal is
        table.width = value_width + max(len(line) for name in names for line in name.splitlines())
    for place, name in enumerate(section.columns):
        justify: JustifyMethod = "right" if is_numeric and place > 0 and name != "verdict" else "left"
        table.add_column(Text(name), justify=justify, overflow="fold", max_width=max_width if place else key_width)
    for name, (cells, style) in zip(names, section.rows, strict=True):
        rest = [Text(cell, colors.get(cell, "")) for cell in cells[1:]]
        table.add_row(Text(name), *rest, style=STYLES.get(style, ""))
    return table


def _signed(name: str, style: str, width: int) -> str:
    """Put a sign before a name, and break it into lines if it is too wide."""
    lines = []
    while len(name) > width:
        place = max(name.rfind(mark, 0, width) for mark in BREAKS) + 1 or width
        lines.append(name[:place])
        name = name[place:]
    return f"{SIGNS.get(style, ' ')} " + "\n  ".join([*lines, name])

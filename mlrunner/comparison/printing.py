"""A comparison for a terminal, as wide as it is."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mlrunner.comparison import Comparison
from mlrunner.comparison.ending import EQUAL, ending
from mlrunner.comparison.sections import SIGNS, Section, letter, sections

VALUE = 12  # columns of a terminal that each value may take before a key is broken
STYLES = {"added": "green", "removed": "red", "changed": "yellow", "better": "green", "worse": "red", "dim": "dim"}


def show(found: Comparison, out: Console, whole: bool = False) -> None:
    """Print a comparison."""
    for place, side in enumerate(found.sides):
        out.print(Text.assemble((f"{letter(place)}  ", "bold cyan"), side.name), soft_wrap=True)
    for section in sections(found, whole):
        out.print(Text(f"\n{section.title}", "bold"))
        for table in _tables(section, out.width):
            out.print(table)
        if section.note is not None:
            out.print(Text(f"  {section.note}", "dim"))
    if found.is_same:
        out.print(f"\n{EQUAL}")
    for label, told in ending(found):  # a command that is broken into lines could not be pasted
        out.print(Text.assemble((f"\n{label}\n", "bold"), ("  ", ""), (told, "cyan")), soft_wrap=True)


def _tables(section: Section, width: int) -> Iterator[Table]:
    """Lay a section out; scores that do not fit beside each other are laid out each with the first only."""
    others = section.columns.count("verdict")
    if others < 2 or _needed(section) <= width:
        yield from [_table(section, width)] if section.rows else []
        return
    for place in range(others):
        picked = [0, 1, 2 + place, *range(2 + others + 3 * place, 5 + others + 3 * place)]
        some = [(tuple(cells[at] for at in picked), style) for cells, style in section.rows]
        yield _table(Section(section.title, tuple(section.columns[at] for at in picked), tuple(some)), width)


def _needed(section: Section) -> int:
    columns = zip(section.columns, *(cells for cells, _ in section.rows), strict=True)
    return 2 + sum(2 + max(map(len, column)) for column in columns)


def _table(section: Section, width: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="dim")
    is_numeric = section.title == "scores"
    tint = {name: STYLES[name] if is_numeric else "" for name in ("better", "worse")}
    values = len(section.columns) - 1
    key = 2 + max(len(cells[0]) for cells, _ in section.rows)
    most = None
    if _needed(section) > width:
        key = min(key, max(VALUE, width - (VALUE + 2) * values))
        most = max(1, (width - key) // values - 2)
    for place, name in enumerate(section.columns):
        right = is_numeric and place > 0 and name != "verdict"
        table.add_column(
            Text(name), justify="right" if right else "left", overflow="fold", max_width=most if place else key
        )
    for cells, style in section.rows:
        rest = [Text(cell, tint.get(cell, "")) for cell in cells[1:]]
        table.add_row(Text(_signed(cells[0], style, key - 2)), *rest, style=STYLES.get(style, ""))
    return table


def _signed(name: str, style: str, width: int) -> str:
    """Put the sign before a name, which is broken where it is too wide."""
    parts = [name[begin : begin + width] for begin in range(0, len(name), width)]
    return f"{SIGNS.get(style, ' ')} " + "\n  ".join(parts)

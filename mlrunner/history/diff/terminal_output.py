"""A comparison for a terminal, as wide as it is."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from mlrunner.core.terminal import console
from mlrunner.history.diff.closing_lines import EQUAL, ending
from mlrunner.history.diff.sections import SIGNS, Section, letter, sections

if TYPE_CHECKING:
    from mlrunner.history.diff import Comparison

VALUE = 12  # columns of a terminal that each value may take before a key is broken, and that a key has beside scores
BREAKS = "/_."  # behind which a key is broken, where it has one
STYLES = {"added": "green", "removed": "red", "changed": "yellow", "better": "green", "worse": "red", "dim": "dim"}


def show(found: Comparison, out: Console, whole: bool = False) -> None:
    """Print a comparison."""
    for place, side in enumerate(found.sides):
        out.print(Text.assemble((f"{letter(place)}  ", "bold cyan"), side.name), soft_wrap=True)
    for section in sections(found, whole):
        out.print(Text(f"\n{section.title}", "bold"))
        for place, table in enumerate(_tables(section, out.width)):
            if place:
                out.print()
            out.print(table, crop=False)
        if section.note is not None:
            out.print(Text(f"  {section.note}", "dim"))
    if found.is_same:
        out.print(f"\n{EQUAL}")
    for label, told in ending(found):  # a command that is broken into lines could not be pasted
        out.print(Text.assemble((f"\n{label}\n", "bold"), ("  ", ""), (told, "cyan")), soft_wrap=True)


def as_text(found: Comparison) -> str:
    """Write what a terminal shows, without its colours."""
    # Rich would print in a notebook at once.
    out = Console(file=io.StringIO(), width=console().width, color_system=None, highlight=False, force_jupyter=False)
    with out.capture() as told:
        show(found, out)
    return "\n".join(line.rstrip() for line in told.get().splitlines())


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
    return sum(2 + max(map(len, column)) for column in columns)  # the sign of a key, a gap before each value


def _table(section: Section, width: int) -> Table:
    is_numeric = section.title == "scores"
    tint = {name: STYLES[name] if is_numeric else "" for name in ("better", "worse")}
    values = len(section.columns) - 1
    key = 2 + max(len(cells[0]) for cells, _ in section.rows)
    beside, most = _needed(section) - key, None
    if is_numeric:
        key = min(key, max(VALUE, width - beside))
    elif key + beside > width:
        key = min(key, max(VALUE, width - (VALUE + 2) * values))
        most = max(1, (width - key) // values - 2)
    names = [_signed(cells[0], style, key - 2) for cells, style in section.rows]
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="dim")
    if is_numeric:  # no number is broken, however narrow the terminal is
        table.width = beside + max(len(line) for name in names for line in name.splitlines())
    for place, name in enumerate(section.columns):
        justify: JustifyMethod = "right" if is_numeric and place > 0 and name != "verdict" else "left"
        table.add_column(Text(name), justify=justify, overflow="fold", max_width=most if place else key)
    for name, (cells, style) in zip(names, section.rows, strict=True):
        rest = [Text(cell, tint.get(cell, "")) for cell in cells[1:]]
        table.add_row(Text(name), *rest, style=STYLES.get(style, ""))
    return table


def _signed(name: str, style: str, width: int) -> str:
    """Put the sign before a name, which is broken where it is too wide."""
    parts = []
    while len(name) > width:
        place = max(name.rfind(mark, 0, width) for mark in BREAKS) + 1 or width
        parts.append(name[:place])
        name = name[place:]
    return f"{SIGNS.get(style, ' ')} " + "\n  ".join([*parts, name])

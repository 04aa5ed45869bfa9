"""A comparison for a terminal, for Markdown, for a page, for programs."""

from __future__ import annotations

import html
import json
import math
import shlex
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mlrunner.comparison import Comparison
from mlrunner.comparison.sections import Section, letter, sections
from mlrunner.comparison.structure import ABSENT, Change

STYLES = {"added": "green", "removed": "red", "changed": "yellow", "better": "green", "worse": "red", "dim": "dim"}
EQUAL = "Nothing differs that decides a result."
SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def show(found: Comparison, out: Console, whole: bool = False) -> None:
    """Print a comparison."""
    for place, side in enumerate(found.sides):
        out.print(Text.assemble((f"{letter(place)}  ", "bold cyan"), side.name))
    for section in sections(found, whole):
        out.print(Text(f"\n{section.title}", "bold"))
        if section.rows:
            out.print(_table(section))
        if section.note is not None:
            out.print(Text(f"  {section.note}", "dim"))
    if found.is_same:
        out.print(f"\n{EQUAL}")
    for label, told in ending(found):
        out.print(Text.assemble((f"\n{label}\n", "bold"), ("  ", ""), (told, "cyan")))


def _table(section: Section) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    is_numeric = section.title == "scores"
    for place, name in enumerate(section.columns):
        right = is_numeric and place > 0 and name != "verdict"
        table.add_column(Text(name), justify="right" if right else "left", overflow="fold")
    for cells, style in section.rows:
        first = f"{SIGNS.get(style, ' ')} {cells[0]}"
        table.add_row(Text(first), *map(Text, cells[1:]), style=STYLES.get(style, ""))
    return table


def ending(found: Comparison) -> Iterator[tuple[str, str]]:
    """Say how the first side becomes each other one, and how that is run from nothing: label and command."""
    for place, line in enumerate(found.lines, 1):
        if line is None:
            continue
        name = letter(place)
        if line.problem is not None:
            yield f"no overrides of today's files are {name}", line.problem
            continue
        if line.change:
            yield f"A becomes {name} with", shlex.join([*line.flags(found.sides[0].frozen.sources), *line.change])
        if line.change_beyond and line.change_beyond != line.beyond:
            yield f"and no override of today's files sets, for A to be {name} exactly", ", ".join(line.change_beyond)
        yield f"{name} is", shlex.join(["mlrunner", *line.flags(), *line.command])
        if line.beyond:
            yield f"and no override of today's files sets, to be {name} exactly", ", ".join(line.beyond)


def as_markdown(found: Comparison, whole: bool = False) -> str:
    """Write a comparison as GitHub's Markdown."""
    parts = [f"- **{letter(place)}** {_safe(side.name)}" for place, side in enumerate(found.sides)]
    for section in sections(found, whole):
        parts += ["", f"### {section.title}", ""]
        if section.rows:
            parts += [_line(section.columns), _line(("---",) * len(section.columns))]
            parts += [_line((f"{SIGNS.get(style, '')} {cells[0]}", *cells[1:])) for cells, style in section.rows]
        parts += ["", f"_{section.note}_"] if section.note is not None else []
    parts += ["", EQUAL] if found.is_same else []
    for label, told in ending(found):
        parts += ["", f"{label}", "", "```", told, "```"]
    return "\n".join(parts) + "\n"


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(map(_safe, cells))} |"


def _safe(text: str) -> str:
    return text.strip().replace("|", "\\|").replace("<", "&lt;")


def as_html(found: Comparison, whole: bool = False) -> str:
    """Write a comparison as a fragment of a page: class names, no style and no script."""
    sides = "".join(
        f'<li><b class="side">{letter(place)}</b> {html.escape(side.name)}</li>'
        for place, side in enumerate(found.sides)
    )
    parts = [f'<div class="comparison"><ul class="sides">{sides}</ul>']
    for section in sections(found, whole):
        parts.append(f"<h3>{html.escape(section.title)}</h3>")
        parts += [_html_table(section)] if section.rows else []
        note = (section.note or "").replace(" (--all)", "")  # a page has no flags
        parts += [f'<p class="note">{html.escape(note)}</p>'] if note else []
    parts += [f"<p>{EQUAL}</p>"] if found.is_same else []
    parts += [
        f'<p class="label">{html.escape(label)}</p><pre><code>{html.escape(told)}</code></pre>'
        for label, told in ending(found)
    ]
    return "\n".join([*parts, "</div>"])


def _html_table(section: Section) -> str:
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in section.columns)
    rows = "".join(
        f'<tr class="{style}"><th scope="row">{html.escape(cells[0])}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells[1:])
        + "</tr>"
        for cells, style in section.rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def as_json(found: Comparison) -> str:
    """Write a comparison for programs: everything, in full precision; what a side does not have is absent."""
    told = {
        "sides": [_side(side) for side in found.sides],
        "same": found.is_same,
        **{
            name: [_change(one) for one in getattr(found, name)]
            for name in ("choices", "values", "search", "data", "code", "environment")
        },
        "scores": [
            {
                "name": one.name,
                "values": list(one.values),
                "differences": list(one.differences),
                "noise": list(one.noise),
                "verdicts": list(one.verdicts),
            }
            for one in found.scores
        ],
        "moved": [[vars(one) for one in moved] for moved in found.moved],
        "lines": [None if one is None else {**vars(one), "exact": one.is_exact} for one in found.lines],
    }
    return json.dumps(_finite(told), default=str)


def _side(side: Any) -> dict[str, Any]:
    run_id = None if side.record is None else side.record.run_id
    return {"label": side.label, "name": side.name, "run_id": run_id}


def _change(one: Change) -> dict[str, Any]:
    values = [{} if value is ABSENT else {"value": value} for value in one.values]
    return {"key": one.key, "kind": one.kind, "values": values, "follows": one.follows}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #8883; vertical-align: top; }
.added th, .better td:last-child { color: #1a7f37; } .removed th, .worse td:last-child { color: #cf222e; }
.dim, .note { opacity: .65; } .scroll { overflow-x: auto; } pre { overflow-x: auto; padding: .6rem; background: #8881; }
.sides { list-style: none; padding: 0; }
"""


def as_page(found: Comparison, whole: bool = False) -> str:
    """Write a comparison as a page of its own."""
    title = html.escape(" and ".join(side.label for side in found.sides))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body>\n{as_html(found, whole)}\n</body></html>"
    )

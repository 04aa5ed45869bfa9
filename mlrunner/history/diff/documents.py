"""A comparison for Markdown, for a page, for programs."""

from __future__ import annotations

import html
import json
import math
import re
from typing import TYPE_CHECKING, Any

from mlrunner.core.redaction import redact
from mlrunner.history.diff.closing_lines import EQUAL, ending
from mlrunner.history.diff.sections import SIGNS, Section, letter, sections
from mlrunner.history.diff.structure import ABSENT, Change

if TYPE_CHECKING:
    from mlrunner.history.diff import Comparison


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
    plain = re.sub(r"\b_|_\b|[*`\\]", r"\\\g<0>", text.strip())  # _target_ would be slanted
    return plain.replace("|", "\\|").replace("<", "&lt;")


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
    name = section.title.partition(",")[0]
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in section.columns)
    rows = "".join(
        f'<tr class="{style}"><th scope="row">{SIGNS.get(style, "")} {html.escape(cells[0])}</th>'
        + "".join(_html_cell(cell, name) for cell in cells[1:])
        + "</tr>"
        for cells, style in section.rows
    )
    return (
        f'<div class="scroll"><table class="{name}"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _html_cell(cell: str, name: str) -> str:
    told = f' class="{cell}"' if name == "scores" and cell in ("better", "worse") else ""
    return f"<td{told}>{html.escape(cell)}</td>"


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
        "lines": [None if one is None else _redacted({**vars(one), "exact": one.is_exact}) for one in found.lines],
    }
    return json.dumps(_finite(told), default=str)


def _redacted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _redacted(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    return redact(value) if isinstance(value, str) else value


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
th[scope=row], .scores td { white-space: nowrap; } .scores td, .scores th[scope=col] { text-align: right; }
td { overflow-wrap: anywhere; min-width: 7rem; } .scores td { min-width: 0; }
.added th, td.better { color: #1a7f37; } .removed th, td.worse { color: #cf222e; }
.dim, .note { opacity: .65; } .scroll { overflow-x: auto; }
.sides { list-style: none; padding: 0; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: .6rem; background: #8881; }
"""


def as_page(found: Comparison, whole: bool = False) -> str:
    """Write a comparison as a page of its own."""
    title = html.escape(" and ".join(side.label for side in found.sides))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body>\n{as_html(found, whole)}\n</body></html>"
    )

"""Write a comparison as Markdown, HTML or JSON."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Any

from mlrunner.core.formatting import nan_to_none
from mlrunner.core.redaction import redact_values
from mlrunner.core.table import Table, TableCell, TableColumn, TableRow, escape_markdown
from mlrunner.history.diff.closing_lines import EQUAL, make_closing_lines
from mlrunner.history.diff.sections import SIGNS, Section, make_sections, side_letter
from mlrunner.history.diff.structure import ABSENT, Change

if TYPE_CHECKING:
    from mlrunner.history.diff import Comparison

COLORED = ("better", "worse")  # verdicts


def to_markdown(comparison: Comparison, whole: bool = False) -> str:
    """Write a comparison as GitHub's Markdown.

    Args:
        comparison: Comparison.
        whole: Whether to include all metrics, and values that follow from others.
    """
    parts = [f"- **{side_letter(place)}** {escape_markdown(side.name)}" for place, side in enumerate(comparison.sides)]
    for section in make_sections(comparison, whole):
        parts += ["", f"### {section.title}"]
        parts += ["", _table(section).to_markdown()] if section.rows else []
        parts += ["", f"_{section.note}_"] if section.note is not None else []
    parts += ["", EQUAL] if comparison.is_same else []
    for label, command in make_closing_lines(comparison):
        parts += ["", label, "", "```", command, "```"]
    return "\n".join(parts) + "\n"


def to_html(comparison: Comparison, whole: bool = False) -> str:
    """Write a comparison as an HTML fragment with class names, without style and script; arguments as above."""
    sides = "".join(
        f'<li><b class="side">{side_letter(place)}</b> {html.escape(side.name)}</li>'
        for place, side in enumerate(comparison.sides)
    )
    parts = [f'<div class="comparison"><ul class="sides">{sides}</ul>']
    for section in make_sections(comparison, whole):
        name = section.title.partition(",")[0]
        parts.append(f"<h3>{html.escape(section.title)}</h3>")
        parts += [f'<div class="scroll">{_table(section).to_html(name)}</div>'] if section.rows else []
        note = (section.note or "").replace(" (--all)", "")  # a page has no flags
        parts += [f'<p class="note">{html.escape(note)}</p>'] if note else []
    parts += [f"<p>{EQUAL}</p>"] if comparison.is_same else []
    parts += [
        f'<p class="label">{html.escape(label)}</p><pre><code>{html.escape(command)}</code></pre>'
        for label, command in make_closing_lines(comparison)
    ]
    return "\n".join([*parts, "</div>"])


def _table(section: Section) -> Table:
    is_scores = section.title == "scores"
    columns = (
        TableColumn(name, is_number=is_scores and bool(place) and name != "verdict")
        for place, name in enumerate(section.columns)
    )
    rows = (
        TableRow(
            tuple(
                TableCell(
                    f"{SIGNS.get(style, '')} {text}".strip() if place == 0 else text, text, _color(text, is_scores)
                )
                for place, text in enumerate(cells)
            ),
            style,
        )
        for cells, style in section.rows
    )
    return Table(tuple(columns), tuple(rows))


def _color(text: str, is_scores: bool) -> str:
    return text if is_scores and text in COLORED else ""


def to_json(comparison: Comparison) -> str:
    """Write all of a comparison in full precision; a value that a side does not have is an empty object."""
    names = ("choices", "values", "search", "data", "code", "environment")
    document = {
        "sides": [_describe_side(side) for side in comparison.sides],
        "same": comparison.is_same,
        **{name: [_describe_change(change) for change in getattr(comparison, name)] for name in names},
        "scores": [
            {
                "name": score.name,
                "values": list(score.values),
                "differences": list(score.differences),
                "noise": list(score.uncertainty),
                "verdicts": list(score.verdicts),
            }
            for score in comparison.scores
        ],
        "moved": [[vars(shift) for shift in shifts] for shifts in comparison.shifts],
        "lines": [diff and redact_values({**vars(diff), "exact": diff.is_exact}) for diff in comparison.overrides],
    }
    return json.dumps(nan_to_none(document), default=str)


def _describe_side(side: Any) -> dict[str, Any]:
    run_id, status = (None, None) if side.record is None else (side.record.run_id, side.record.status)
    return {"label": side.label, "name": side.name, "run_id": run_id, "status": status}


def _describe_change(change: Change) -> dict[str, Any]:
    values = [{} if value is ABSENT else {"value": value} for value in change.values]
    return {"key": change.key, "kind": change.kind, "values": values, "follows": change.follows}


STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #8883; vertical-align: top; }
th[scope=row], .number { white-space: nowrap; } .scores td, .scores th[scope=col] { text-align: right; }
td { overflow-wrap: anywhere; min-width: 7rem; } .scores td { min-width: 0; }
.added th, td.better { color: #1a7f37; } .removed th, td.worse { color: #cf222e; }
.dim, .note { opacity: .65; } .scroll { overflow-x: auto; }
.sides { list-style: none; padding: 0; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: .6rem; background: #8881; }
"""


def to_page(comparison: Comparison, whole: bool = False) -> str:
    """Write a comparison as a page of its own; arguments as in `to_markdown`."""
    title = html.escape(" and ".join(side.label for side in comparison.sides))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body>\n{to_html(comparison, whole)}\n</body></html>"
    )

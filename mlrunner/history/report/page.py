"""Lay out a report and render it as one HTML file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path, PurePath
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from mlrunner.composition.composition import NAME_LENGTH
from mlrunner.core.redaction import redact
from mlrunner.history.report import datacard, pictures, summary, tables
from mlrunner.history.report.captions import MODEL
from mlrunner.history.report.commands import list_commands
from mlrunner.history.report.differences import compare_with_default
from mlrunner.history.report.environment import read_environment
from mlrunner.tracking.records.record import IMPORTANCE_FILE, OVERRIDES_TAG

if TYPE_CHECKING:
    from jinja2 import Environment as Jinja

    from mlrunner.history.report.content import Content
    from mlrunner.tracking.records import Record

HERE = Path(__file__).parent
WORDS = {"search": "The winner", "grid": "The best", "run": "The run"}


@dataclass(frozen=True)
class ContentsItem:
    """An entry of the table of contents, with those below it."""

    name: str
    title: str
    below: tuple[ContentsItem, ...] = ()


def _list_contents(page: SimpleNamespace) -> list[ContentsItem]:
    """List the sections of a page; one whose value is None or empty is left out."""
    sections: dict[str, tuple[str, Any]] = {
        "summary": ("Summary", True),
        "leaderboard": ("Leaderboard", page.leaderboard),
        "failures": ("Failures", page.failures),
        "search": (f"The {page.kind.lower()}", page.search),
        "cost": ("Cost", page.cost),
        "scores": ("Scores", page.scores),
        "differences": ("Against the default", page.differences),
        "model": ("The model", page.model),
        "importances": ("Importance by the model", page.importances),
        "data": ("Data card", page.card),
        "environment": ("Environment", True),
        "commands": ("Reproduce and deploy", True),
    }
    return [ContentsItem(name, title, _pictures(section)) for name, (title, section) in sections.items() if section]


def _pictures(section: Any) -> tuple[ContentsItem, ...]:
    """List the pictures of a section that has several."""
    has_several = isinstance(section, tuple) and len(section) > 1
    return tuple(ContentsItem(picture.name, picture.title) for picture in section) if has_several else ()


def make_page(content: Content) -> SimpleNamespace:
    """Lay out the content of a report: the values of `page.html`, and `contents`, its table of contents."""
    lead, subject, kind = content.lead, content.subject, content.kind
    best = content.best
    page = SimpleNamespace(
        kind=summary.KINDS[kind],
        title=make_title(content.params) or subject.name,
        place=subject.place,
        name=_name(subject),
        headline=summary.make_headline(content),
        best=() if best is None else tables.split_name(best.outcome.name),
        best_label=f"The best {'trial' if kind == 'search' else 'composition'}",
        verdict=content.verdict,
        facts=summary.list_facts(content),
        ranges=summary.list_ranges(content),
        lead_word=WORDS[kind],
        leaderboard=tables.make_leaderboards(content),
        failures=tables.make_failures(content),
        search=tuple(pictures.search_pictures(content)) if kind != "run" else (),
        search_note=pictures.importance_note(content),
        cost=tuple(pictures.cost_pictures(content)),
        differences=compare_with_default(content),
        scores=None if lead is None else tables.make_scores(lead.metrics, content.metric),
        model=() if lead is None else (*pictures.contribution_pictures(content), *pictures.read_pictures(lead, MODEL)),
        importances=None if lead is None else tables.make_importances(lead.read_text(IMPORTANCE_FILE)),
        card=datacard.make_data_card(content),
        environment=read_environment(content),
        commands=list_commands(content),
    )
    page.contents = _list_contents(page)
    return page


def make_title(params: Mapping[str, str]) -> str:
    """Name the data set and its target; a file by its own name. Empty if the run recorded neither."""
    name, path = params.get("dataset.name"), params.get("dataset.path", "null")
    if name == params.get("dataset.format") and path != "null":  # as in dataset=csv
        name = PurePath(path).name
    target = params.get("dataset.target")
    return f"{name}: {target}" if name and target else ""


def _name(subject: Record) -> str:
    """Name a run or sweep; from many overrides, since MLflow cuts long names."""
    overrides = subject.tags.get(OVERRIDES_TAG, "")
    if len(subject.name) < NAME_LENGTH or not overrides:
        return subject.name
    return " ".join(map(str, json.loads(overrides)))


def render_page(page: SimpleNamespace) -> str:
    """Render a page as HTML without references to other files."""
    style, script = (Markup((HERE / f"page.{suffix}").read_text()) for suffix in ("css", "js"))
    written = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
    variables = {"page": page, "style": style, "script": script, "version": version("mlrunner"), "written": written}
    return _jinja().get_template("page.html").render(variables)


@cache
def _jinja() -> Jinja:
    from jinja2 import Environment as Jinja
    from jinja2 import FileSystemLoader, StrictUndefined

    return Jinja(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_without_secrets,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _without_secrets(value: Any) -> Any:
    """Hide secrets in a single text; in the whole page, a match could include tags."""
    return redact(value) if isinstance(value, str) and not isinstance(value, Markup) else value

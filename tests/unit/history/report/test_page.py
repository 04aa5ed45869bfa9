"""Sections of a page, and that texts stay texts."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mlrunner.composition.composition import NAME_LENGTH
from mlrunner.history import report
from mlrunner.history.report.content import Content
from mlrunner.history.report.page import make_page, make_title
from tests.support.reports import (
    Tags,
    make_grid,
    make_hostile,
    make_orders,
    make_outcome,
    make_recorded,
    make_run,
    make_search,
    run_content,
)


def sections(content: Content) -> list[str]:
    return [entry.name for entry in make_page(content).contents]


ALWAYS = {"summary", "environment", "commands"}


CASES: dict[str, tuple[Callable[[Path], Content], set[str]]] = {
    "a run": (lambda folder: run_content(make_run(folder)), {"scores", "data"}),
    "a run without data": (lambda folder: run_content(make_run(folder, params={})), {"scores"}),
    "a run that failed at once": (
        lambda folder: run_content(make_run(folder, params={}, metrics={}, status="FAILED")),
        set(),
    ),
    "a grid": (
        lambda folder: make_grid(folder, [make_outcome(0), make_outcome(1)]),
        {"leaderboard", "cost", "scores", "data"},
    ),
    "a grid of one": (lambda folder: make_grid(folder, [make_outcome(0)]), {"leaderboard", "scores", "data"}),
    "a grid with a failure": (
        lambda folder: make_grid(folder, [make_outcome(0), make_outcome(1, math.nan, status="FAILED", error="no")]),
        {"leaderboard", "failures", "scores", "data"},
    ),
    "a grid that failed": (
        lambda folder: make_grid(
            folder, [make_outcome(1, math.nan, status="FAILED", error="no", run_id=None)], best=None
        ),
        {"failures"},
    ),
    "a sweep of nothing": (lambda folder: make_grid(folder, [], best=None), set()),
    "a search": (make_search, {"leaderboard", "search", "cost", "scores", "data"}),
}


@pytest.mark.parametrize("case", CASES)
def test_empty_sections_are_left_out(case: str, tmp_path: Path) -> None:
    make, expected = CASES[case]
    content = make(tmp_path)
    assert set(sections(content)) == ALWAYS | expected
    page = Tags(report.render_report(content))
    ids = [str(attributes["id"]) for attributes in page.all("section")]
    assert ids == sections(content)
    links = {str(attributes["href"]) for attributes in page.all("a")}
    all_ids = [str(attributes["id"]) for _, attributes in page.tags if "id" in attributes]
    assert {link.removeprefix("#") for link in links} <= set(all_ids)
    assert len(all_ids) == len(set(all_ids))


def test_texts_are_escaped(tmp_path: Path) -> None:
    text = report.render_report(make_hostile(tmp_path))
    page = Tags(text)
    assert len(page.all("script")) == 1
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert all(str(attributes["src"]).startswith("data:") for attributes in page.all("img"))
    assert "<b>1</b>" not in text
    assert "".join(page.texts).count("alert(1)") > 10


@pytest.mark.parametrize("make", [make_search, CASES["a run"][0]], ids=["search", "run"])
def test_page_loads_nothing(make: Callable[[Path], Content], tmp_path: Path) -> None:
    text = report.render_report(make(tmp_path))
    page = Tags(text)
    policy = next(meta for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert str(policy["content"]).startswith(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    )
    asking = {"src", "href", "srcset", "action", "poster", "data", "xlink:href"}
    addresses = [str(value) for _, attributes in page.tags for name, value in attributes.items() if name in asking]
    assert len(addresses) > 5
    assert all(value.startswith(("#", "data:")) for value in addresses)
    assert not re.search(r"https?:", text)
    assert not re.search(r"@import|url\((?!#)", text)


def test_secrets_are_hidden(tmp_path: Path) -> None:
    name = "dataset.url=postgresql://me:hunter2@host/db,stack.token=hunter2"
    failed = make_outcome(1, math.nan, status="FAILED", error="cannot reach postgresql://me:hunter2@host", name=name)
    text = report.render_report(make_grid(tmp_path, [make_outcome(0, name=name), failed]))
    assert "hunter2" not in text
    assert text.count("<tr") == text.count("</tr>") > 3


def test_long_name_is_complete(tmp_path: Path) -> None:
    overrides = [f"a{k}={k}" for k in range(99)]
    cut = ",".join(overrides)[:NAME_LENGTH]
    record = make_run(tmp_path, name=cut, tags={"mlrunner.overrides": json.dumps(overrides)})
    assert make_page(run_content(record)).name == " ".join(overrides)
    assert make_page(run_content(replace(record, name="mine"))).name == "mine"
    assert make_page(run_content(replace(record, tags={}))).name == cut


@pytest.mark.parametrize(
    ("params", "title"),
    [
        ({"name": "csv", "format": "csv", "path": "data/houses.csv", "target": "price"}, "houses.csv: price"),
        ({"name": "parquet", "format": "parquet", "path": "s3://a/year=*/b.parquet", "target": "y"}, "b.parquet: y"),
        ({"name": "olist", "format": "csv", "path": "data/sample.csv", "target": "score"}, "olist: score"),
        ({"name": "wine", "target": "target"}, "wine: target"),
        ({"name": "csv", "format": "csv", "path": "null"}, ""),
    ],
)
def test_title_names_the_file(params: dict[str, str], title: str) -> None:
    assert make_title({f"dataset.{name}": value for name, value in params.items()}) == title


def test_data_card_is_one_table(tmp_path: Path) -> None:
    text = report.render_report(make_recorded(tmp_path, make_orders()))
    data = text[text.index('<section id="data">') : text.index('<section id="environment">')]
    assert data.count("<table") == 1
    rows = [re.sub(r"<[^>]+>", "|", row) for row in re.findall(r"<tr.*?</tr>", data, flags=re.DOTALL)]
    cells = [[cell.strip() for cell in row.split("|") if cell.strip()] for row in rows]
    assert cells == [
        ["column", "role", "type", "missing", "distinct", "distribution"],
        ["price", "target", "float64", "25%", "2", "1 … 2 … 2"],
        ["id", "feature", "int64", "0", "4", "1 … 2.5 … 4"],
        ["town", "feature", str(make_orders()["town"].dtype), "25%", "2", "a 67%, b 33%"],
    ]

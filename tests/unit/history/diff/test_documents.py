"""A comparison as Markdown, HTML and JSON."""

from __future__ import annotations

import json

import pytest
from rich.console import Console

from mlrunner.history.diff import compare, documents, terminal_output
from mlrunner.history.diff.sides import compose_side
from tests.support.sides import make_comparison, make_side


def test_markdown_escapes_tables() -> None:
    comparison = make_comparison()
    told = documents.to_markdown(comparison)
    assert r"x \| \<y>" in told
    assert all(line.count("|") - line.count("\\|") == 4 for line in told.splitlines() if line.startswith("|  note"))


def test_markdown_escapes_names_and_values() -> None:
    both = compare((make_side({"max_depth": 1, "_target_": "*a*"}), make_side({"max_depth": 2, "_target_": "`b`"})))
    told = documents.to_markdown(both)
    assert "| ~ max_depth | 1 | 2 |" in told
    assert r"| ~ \_target\_ | \*a\* | \`b\` |" in told


def test_verdicts_are_coloured() -> None:
    found = compare([make_side(metrics={"fit_seconds": seconds}) for seconds in (2.0, 1.0, 3.0)])
    told = documents.to_html(found)
    assert '<td class="better">better</td>' in told
    assert '<td class="worse">worse</td>' in told
    out = Console(record=True, width=120, force_terminal=True)
    terminal_output.print_comparison(found, out)
    assert "\x1b[32mbetter" in out.export_text(styles=True)


def test_page_escapes_markup_and_loads_nothing() -> None:
    comparison = make_comparison()
    told = documents.to_page(comparison)
    assert "x | &lt;y&gt;" in told
    assert "http" not in told
    assert told.startswith("<!doctype html>")


def test_json_distinguishes_null_from_absent() -> None:
    both = compare((make_side({"a": None}), make_side({"b": float("inf")})))
    told = json.loads(documents.to_json(both))
    values = {change["key"]: change["values"] for change in told["values"]}
    assert values == {"a": [{"value": None}, {}], "b": [{}, {"value": None}]}
    assert told["same"] is False


def test_equal_sides() -> None:
    same_sides = compare((make_side({"a": 1}), make_side({"a": 1})))
    out = Console(record=True, width=100)
    terminal_output.print_comparison(same_sides, out)
    assert same_sides.is_same
    for told in (out.export_text(), documents.to_markdown(same_sides), documents.to_html(same_sides)):
        assert "Nothing differs that affects a result." in told


def test_secret_of_a_composition_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read from the environment here, and a run's record has none to compare it with."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hunter1@host/db")
    monkeypatch.setenv("SECRET", "hunter2")
    typed = ["dataset=sql", "dataset.url='${oc.env:DATABASE_URL}'", "+stack.password='${oc.env:SECRET}'"]
    found = compare([compose_side([]), compose_side(typed)])
    for told in (documents.to_html(found, True), documents.to_json(found), documents.to_markdown(found, True)):
        assert "hunter" not in told
        assert "***" in told.replace("\\*", "*")
    (diff,) = found.overrides
    assert diff is not None
    assert diff.is_exact


def test_secret_in_an_override_is_hidden() -> None:
    found = compare([compose_side([]), compose_side(["+dataset.options.password=hunter2"])])
    for told in (documents.to_html(found, True), documents.to_json(found), documents.to_markdown(found, True)):
        assert "hunter2" not in told

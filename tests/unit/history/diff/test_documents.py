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
    text = documents.to_markdown(comparison)
    assert r"x \| \<y>" in text
    assert all(line.count("|") - line.count("\\|") == 4 for line in text.splitlines() if line.startswith("|  note"))


def test_markdown_escapes_names_and_values() -> None:
    both = compare((make_side({"max_depth": 1, "_target_": "*a*"}), make_side({"max_depth": 2, "_target_": "`b`"})))
    text = documents.to_markdown(both)
    assert "| ~ max_depth | 1 | 2 |" in text
    assert r"| ~ \_target\_ | \*a\* | \`b\` |" in text


def test_verdicts_are_coloured() -> None:
    comparison = compare([make_side(metrics={"fit_seconds": seconds}) for seconds in (2.0, 1.0, 3.0)])
    text = documents.to_html(comparison)
    assert '<td class="better">better</td>' in text
    assert '<td class="worse">worse</td>' in text
    out = Console(record=True, width=120, force_terminal=True)
    terminal_output.print_comparison(comparison, out)
    assert "\x1b[32mbetter" in out.export_text(styles=True)


def test_page_escapes_markup_and_loads_nothing() -> None:
    comparison = make_comparison()
    text = documents.to_page(comparison)
    assert "x | &lt;y&gt;" in text
    assert "http" not in text
    assert text.startswith("<!doctype html>")


def test_json_distinguishes_null_from_absent() -> None:
    both = compare((make_side({"a": None}), make_side({"b": float("inf")})))
    document = json.loads(documents.to_json(both))
    values = {change["key"]: change["values"] for change in document["values"]}
    assert values == {"a": [{"value": None}, {}], "b": [{}, {"value": None}]}
    assert document["same"] is False


def test_equal_sides() -> None:
    same_sides = compare((make_side({"a": 1}), make_side({"a": 1})))
    out = Console(record=True, width=100)
    terminal_output.print_comparison(same_sides, out)
    assert same_sides.is_same
    for text in (out.export_text(), documents.to_markdown(same_sides), documents.to_html(same_sides)):
        assert "Nothing differs that affects a result." in text


def test_secret_of_a_composition_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read from the environment here, and a run's record has none to compare it with."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hunter1@host/db")
    monkeypatch.setenv("SECRET", "hunter2")
    typed = ["dataset=sql", "dataset.url='${oc.env:DATABASE_URL}'", "+stack.password='${oc.env:SECRET}'"]
    typed.append("+dataset.options.password=hunter3")
    comparison = compare([compose_side([]), compose_side(typed)])
    for text in (
        documents.to_html(comparison, True),
        documents.to_json(comparison),
        documents.to_markdown(comparison, True),
    ):
        assert "hunter" not in text
        assert "***" in text.replace("\\*", "*")
    (diff,) = comparison.overrides
    assert diff is not None
    assert diff.is_exact

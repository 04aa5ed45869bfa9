"""A comparison as tables of texts."""

from __future__ import annotations

from typing import Any

import pytest

from mlrunner.evaluation import uncertainty
from mlrunner.history.diff import compare
from mlrunner.history.diff.sections import format_value, make_sections
from mlrunner.history.diff.structure import ABSENT
from tests.support.sides import make_comparison, make_side


def test_order_of_sections() -> None:
    comparison = make_comparison()
    assert [section.title for section in make_sections(comparison)] == ["values", "scores"]


def test_list_is_shown_by_element() -> None:
    comparison = make_comparison()
    rows = {cells[0]: cells[1:] for cells, _ in make_sections(comparison)[0].rows}
    assert rows["model.drop"] == ('["a", "b"]', "-a +c")
    assert rows["added"] == ("-", '{"deep": 1}')


@pytest.mark.parametrize(
    ("first", "other", "cells"),
    [
        (1, "1", ("1", '"1"')),
        (None, "null", ("null", '"null"')),
        ("x" * 70 + "A", "x" * 70 + "B", ("…" + "x" * 15 + 'A"', "…" + "x" * 15 + 'B"')),
        ("a b", "a\nb", ('"a b"', '"a\\nb"')),
        ([{"name": "n" * 70, "k": 1}, 2], [{"name": "n" * 70, "k": 5}, 2], ("[{", "k 1 → 5")),
        ([1, 2, 3], [3, 1, 2], ("[1, 2, 3]", "in another order: [3, 1, 2]")),
        (["1"], [1], ('["1"]', '-"1" +1')),
    ],
)
def test_different_values_look_different(first: Any, other: Any, cells: tuple[str, str]) -> None:
    (((_, *texts), _),) = make_sections(compare((make_side({"a": first}), make_side({"a": other}))))[0].rows
    assert texts[0].startswith(cells[0])
    assert texts[1] == cells[1]


def test_legend_explains_noise() -> None:
    replicates = uncertainty.Replicates("rows", 1.0, {"r2": [0.5 + 0.01 * (number % 5) for number in range(20)]})
    fields = {"metrics": {"test/r2": 0.5, "validation/r2": 0.5}, "replicates": {"test": replicates}}
    (table,) = make_sections(
        compare((make_side(**fields), make_side(**{**fields, "metrics": {"test/r2": 0.6, "validation/r2": 0.6}}))), True
    )
    assert "± noise: how much other rows" in str(table.note)
    assert "?: noise unknown" in str(table.note)


@pytest.mark.parametrize(
    ("value", "text"), [(ABSENT, "-"), (None, "null"), ("", '""'), ("a\n b", "a b"), ("x" * 99, "x" * 59 + "…")]
)
def test_value_is_one_short_line(value: Any, text: str) -> None:
    assert format_value(value) == text

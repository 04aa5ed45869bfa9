"""Differences in data, code and environment."""

from __future__ import annotations

from typing import Any

from mlrunner.history.diff import provenance
from mlrunner.history.diff.structure import ABSENT
from mlrunner.tracking.records.snapshot import Provenance
from tests.support.sides import make_profiled_side, make_side


def test_columns_and_types() -> None:
    here, there = make_profiled_side(x=[1, 2], gone=[1, 2]), make_profiled_side(x=[1.5, 2.0], rows=["a", "b"])
    differences = {change.key: change.values for change in provenance.compare_data((here, there))}
    assert differences["data.columns.x"] == ("int64", "float64")
    assert differences["data.columns.gone"] == ("int64", ABSENT)
    assert differences["data.columns.rows"][0] is ABSENT
    assert "data.fingerprint" in differences


class TestChangedValues:
    def compare(self, first: dict[str, list[Any]], other: dict[str, list[Any]]) -> Any:
        changes = provenance.compare_data((make_profiled_side(**first), make_profiled_side(**other)))
        return {change.key: change.values for change in changes}.get("data.values")

    def test_one_value_names_its_column_and_the_number_of_rows(self) -> None:
        first: dict[str, list[Any]] = {"x": list(range(240)), "city": ["a", None, "b"] * 80, "y": [0.5] * 240}
        one = {**first, "y": [0.5] * 100 + [0.25] + [0.5] * 139}
        assert self.compare(first, one) == (ABSENT, "y: 1 of 240 rows differs")
        two = {**first, "x": [-1, *range(1, 240)], "city": ["a", "c", *first["city"][2:]]}
        assert self.compare(first, two) == (ABSENT, "x, city: 2 of 240 rows differ")
        assert self.compare(first, first) is None

    def test_values_that_change_places_in_a_row_are_found(self) -> None:
        changed = self.compare({"a": [1, 5], "b": [2, 6]}, {"a": [2, 5], "b": [1, 6]})
        assert changed == (ABSENT, "a, b: 1 of 2 rows differs")

    def test_a_large_table_says_that_rows_are_a_sample(self) -> None:
        """Every fourth row is looked at."""
        changed = self.compare({"x": list(range(20_000))}, {"x": [0, -1, -2, *range(3, 20_000)]})
        assert changed == (ABSENT, "x: 0 of 5,000 sampled rows differ")

    def test_tables_of_other_sizes_are_not_compared_by_row(self) -> None:
        assert self.compare({"x": [1, 2]}, {"x": [1, 2, 3]}) is None


def test_commit_changes_and_source_files() -> None:
    diff = "diff --git a/m.py b/m.py\n--- a/m.py\n+++ b/m.py\n-old\n+new\n+more\n"
    here = make_side(provenance=Provenance(commit="a" * 40, branch="main", sources={"mine": "1"}))
    there = make_side(provenance=Provenance(commit="b" * 40, branch="main", dirty=diff, sources={"mine": "2"}))
    differences = {change.key: change.values for change in provenance.compare_code((here, there))}
    assert differences["code.commit"] == ("a" * 10, "b" * 10)
    assert differences["code.files.mine"] == ("1", "2")
    assert str(differences["code.dirty.m.py"][1]).startswith("+2 -1 (")


def test_changed_line_that_looks_like_a_header() -> None:
    diff = 'diff --git a/m.py b/m.py\n--- a/m.py\n+++ b/m.py\n+split("diff --git ")\n+more\n'
    sides = make_side(provenance=Provenance(commit="a")), make_side(provenance=Provenance(commit="a", dirty=diff))
    ((key, (_, text)),) = ((change.key, change.values) for change in provenance.compare_code(sides))
    assert (key, text[:5]) == ("code.dirty.m.py", "+2 -0")


def test_packages_that_are_not_installed() -> None:
    here = make_side(provenance=Provenance(python="3.11.1", packages={"pandas": "3.0", "old": "1"}))
    there = make_side(provenance=Provenance(python="3.11.1", packages={"pandas": "3.1", "new": "1"}))
    differences = {change.key: change.values for change in provenance.compare_environment((here, there))}
    assert differences == {"pandas": ("3.0", "3.1"), "old": ("1", "not installed"), "new": ("not installed", "1")}

"""Differences in data, code and environment."""

from __future__ import annotations

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

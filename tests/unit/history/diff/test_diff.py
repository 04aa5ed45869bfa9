"""Comparisons of sides made for the test; real runs are compared in `apps/test_diff.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.history.diff import compare
from mlrunner.history.diff.sides import Side, compose_side, read_file
from mlrunner.tracking.records.snapshot import Provenance, Snapshot
from tests.support.sides import make_side


def test_branch_and_untracked_files_do_not_matter() -> None:
    here = make_side(provenance=Provenance(commit="a", branch="main", sources={"mine": "1"}))
    there = make_side(
        provenance=Provenance(commit="a", branch="other", sources={"mine": "1"}, untracked=("notes.txt",))
    )
    comparison = compare((here, there))
    assert [change.key for change in comparison.code] == ["code.branch", "code.untracked"]
    assert comparison.is_same


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ({"gate": {"min": 1}}, {"gate": {"min": 2}}, True),
        ({"threads": 1}, {"threads": 2}, True),
        ({"model": {"search": {"a": 1}}}, {"model": {"search": {"a": 2}}}, True),
        ({"model": {"searching": 1}}, {"model": {"searching": 2}}, False),
        ({"seed": 1}, {"seed": 2}, False),
    ],
)
def test_values_that_matter(first: Any, second: Any, is_same: bool) -> None:
    assert compare((make_side(first), make_side(second))).is_same is is_same


@pytest.mark.parametrize(
    ("group", "is_same"),
    [
        ("gate", True),
        ("stack", True),
        ("part@deployer.x", True),
        ("sweep", True),
        ("experiment", True),
        ("model", False),
    ],
)
def test_choices_that_matter(group: str, is_same: bool) -> None:
    sides = [Side("label", "name", Snapshot({}, choices={group: option})) for option in "ab"]
    assert compare(sides).is_same is is_same


@pytest.mark.parametrize(("raw", "follows"), [("${seed}", "seed"), ("${by.${seed}}", "seed"), ("${oc.env:X}", None)])
def test_value_follows_from_its_interpolation(raw: str, follows: str | None) -> None:
    sides = [
        Side("a", "a", Snapshot({"seed": seed, "x": seed}, {"seed": seed, "x": raw}, choices={"model": "rf"}))
        for seed in (1, 2)
    ]
    sources = {change.key: change.follows for change in compare(sides).values}
    assert sources == {"seed": None, "x": follows}


def test_each_side_has_its_own_folder(tmp_path: Path) -> None:
    """An option of the same name stands in both folders, as in two versions of one."""
    for name, alpha in (("one", 2), ("two", 3)):
        (tmp_path / name / "model").mkdir(parents=True)
        (tmp_path / name / "model" / "mine.yaml").write_text(
            f"defaults: [ridge, _self_]\nestimator: {{alpha: {alpha}}}\n"
        )
    sides = [compose_side(["-cd", str(tmp_path / name), "model=mine"]) for name in ("one", "two")]
    (diff,) = compare(sides).overrides
    assert diff is not None
    assert (diff.command, diff.change, diff.folders) == (("model=mine",), (), (str(tmp_path / "two"),))


def test_every_key_of_a_plain_file_matters(tmp_path: Any) -> None:
    for name, text in (("a", "output: x\nthreads: 1\n"), ("b", "output: y\nthreads: 2\n")):
        (tmp_path / f"{name}.yaml").write_text(text)
    both = compare([read_file(tmp_path / "a.yaml"), read_file(tmp_path / "b.yaml")])
    assert [change.key for change in both.values] == ["output", "threads"]
    assert not both.is_same


def test_files_are_compared_by_key(tmp_path: Any) -> None:
    for name, text in (("a", "x: 1\nmodel: {d: 1}\n"), ("b", "new: 3\nx: 1\nmodel: {d: 2}\n")):
        (tmp_path / f"{name}.yaml").write_text(text)
    both = compare([read_file(tmp_path / "a.yaml"), read_file(tmp_path / "b.yaml")])
    assert [change.key for change in both.values] == ["model.d", "new"]
    assert both.overrides == (None,)


def test_one_side_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least two sides"):
        compare([make_side()])

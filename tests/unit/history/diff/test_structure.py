"""Differences between trees of settings."""

from __future__ import annotations

from typing import Any

import pytest

from mlrunner.history.diff.structure import ABSENT, Change, compare_lists, equal_values, find_changes


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("a", 1, 2)]),
        ({"a": 1}, {"a": 1.0}, [("a", 1, 1.0)]),
        ({"a": 1}, {"a": True}, [("a", 1, True)]),
        ({"a": None}, {}, [("a", None, ABSENT)]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [("a.c", 2, 3)]),
        ({"a": {"b": 1}}, {"a": {"new": {"x": 1, "y": 2}, "b": 1}}, [("a.new", ABSENT, {"x": 1, "y": 2})]),
        ({"a": {"b": 1}}, {"a": 3}, [("a", {"b": 1}, 3)]),
        ({"a": [1, 2]}, {"a": [1, 2, 3]}, [("a", [1, 2], [1, 2, 3])]),
        ({"a": float("nan")}, {"a": float("nan")}, []),
        ({1: "x"}, {"1": "x"}, []),
        ({}, {}, []),
    ],
)
def test_differing_keys(first: Any, second: Any, expected: list[tuple[Any, ...]]) -> None:
    assert [(change.key, *change.values) for change in find_changes((first, second))] == expected


def test_inserted_key_is_one_change() -> None:
    first = {"model": {f"k{number}": number for number in range(50)}}
    second = {"model": {"inserted": {"deep": {"x": 1}}, **first["model"]}}
    assert [change.key for change in find_changes((first, second))] == ["model.inserted"]


def test_groups_come_before_other_keys() -> None:
    first = {"seed": 0, "model": 1, "dataset": 1, "mine": 1}
    second = {"seed": 1, "model": 2, "dataset": 2, "mine": 2}
    assert [change.key for change in find_changes((first, second))] == ["dataset", "model", "seed", "mine"]


def test_three_sides() -> None:
    differences = list(find_changes(({"a": 1}, {"a": 1}, {"a": 2})))
    assert [change.values for change in differences] == [(1, 1, 2)]


@pytest.mark.parametrize(
    ("values", "kind"), [((ABSENT, 1), "added"), ((1, ABSENT), "removed"), ((1, 2), "changed"), ((1, None), "changed")]
)
def test_kind_of_a_change(values: tuple[Any, ...], kind: str) -> None:
    assert Change("a", values).kind == kind


@pytest.mark.parametrize(
    ("first", "second", "removed", "added"),
    [
        ([1, 2, 3], [1, 3], [2], []),
        (["a"], ["b", "a"], [], ["b"]),
        ([{"x": 1}, 2], [{"x": 2}, 2], [{"x": 1}], [{"x": 2}]),
        ([], [1], [], [1]),
    ],
)
def test_lists_are_compared_by_element(
    first: list[Any], second: list[Any], removed: list[Any], added: list[Any]
) -> None:
    assert compare_lists(first, second) == (removed, added)


def test_equal_dictionaries_in_any_order() -> None:
    assert equal_values({"a": [1, {"b": 2}], "c": 3}, {"c": 3, "a": [1, {"b": 2}]})

"""Warning about a column that alone tells the target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlrunner.core.column_roles import Task
from mlrunner.evaluation.advice.leaks import (
    explained_variance,
    find_terms,
    purity,
    separation,
    warn_of_leaks,
    warn_of_sums,
)
from tests.support.advice import ROWS, facts, texts

TARGET = [row % 10 for row in range(ROWS)]
HALVES = [int(value >= 5) for value in TARGET]


@pytest.mark.parametrize(
    ("task", "target", "values", "leaks"),
    [
        ("classification", HALVES, ["no", "yes"] * 0 + [{0: "no", 1: "yes"}[half] for half in HALVES], True),  # `alive`
        ("classification", HALVES, TARGET, True),  # the threshold 4.5 separates the classes
        ("classification", HALVES, [value % 2 for value in TARGET], False),
        ("classification", HALVES, [f"row {row}" for row in range(ROWS)], False),  # each value once: chance
        ("classification", HALVES, [value % 5 for value in TARGET], False),
        ("regression", TARGET, [value * 2 + 1 for value in TARGET], True),
        ("regression", TARGET, [f"level {value}" for value in TARGET], True),
        ("regression", TARGET, HALVES, False),
        ("regression", TARGET, [value**2 for value in TARGET], True),  # six rows a value: it tells the target
        ("regression", TARGET, [None, *TARGET[1:]], True),
    ],
)
def test_a_column_that_tells_the_target_leaks(task: Task, target: list[int], values: list[Any], leaks: bool) -> None:
    expected = ["a alone tells y: if it is known only afterwards, dataset.ignore=[a]."] if leaks else []
    assert texts(warn_of_leaks, facts(task, y=[float(value) for value in target], a=values)) == expected


def test_purity_counts_what_is_wrong_beside_the_most_frequent_class() -> None:
    # Class 0 has 6 of 10 rows: 4 are wrong. By value 1 is wrong: 1 - 1/4.
    codes, classes = np.array([0] * 6 + [1] * 4), np.array([0] * 6 + [1, 1, 1, 0])
    assert purity(codes, classes) == pytest.approx(1 - 1 / 3)  # class 0 has 7 rows: 3 are wrong before, 1 after


def test_separation_needs_ranges_that_do_not_meet() -> None:
    classes = np.array([0, 0, 1, 1])
    assert separation(np.array([1.0, 2.0, 3.0, 4.0]), classes) == 1
    assert separation(np.array([1.0, 3.0, 3.0, 4.0]), classes) == 0
    assert separation(np.array([1.0, np.nan, 3.0, 4.0]), classes) == 0


def test_explained_variance_is_the_share_between_the_values() -> None:
    # Target 0, 2, 4, 6: mean 3, variance 5. Means by value 1 and 5: the rest is 1 in each row.
    assert explained_variance(np.array([0, 0, 1, 1]), np.array([0.0, 2.0, 4.0, 6.0])) == pytest.approx(1 - 1 / 5)


def test_a_number_in_the_order_of_the_target_leaks_where_no_value_repeats() -> None:
    target = [row * 37 % 61 for row in range(ROWS)]
    table = facts("regression", y=target, a=[np.exp(value) for value in target])
    assert texts(warn_of_leaks, table) == ["a alone tells y: if it is known only afterwards, dataset.ignore=[a]."]


def test_parts_of_which_the_target_is_the_total_are_named() -> None:
    registered, casual = [row * 37 % 61 for row in range(ROWS)], [row * row % 53 for row in range(ROWS)]
    bikers = [one + other for one, other in zip(registered, casual, strict=True)]
    parts = {"hour": [row % 24 for row in range(ROWS)], "casual": casual, "registered": registered}
    assert texts(warn_of_sums, facts("regression", y=bikers, **parts)) == [
        "casual, registered together give y exactly, as a sum of multiples: if one is known only afterwards, "
        "dataset.ignore=[casual]."
    ]
    assert texts(warn_of_sums, facts("regression", y=[*bikers[:-1], 0], **parts)) == []
    assert texts(warn_of_sums, facts("classification", y=bikers, **parts)) == []


def test_find_terms_takes_constants_and_multiples_and_leaves_out_what_has_no_part() -> None:
    a, b, c = (np.array(values, dtype=float) for values in ([1, 2, 3, 4, 6], [1, 0, 0, 1, 5], [2, 7, 1, 8, 2]))
    assert find_terms({"a": a, "b": b, "c": c}, 3 * a - 0.5 * c + 7) == ["a", "c"]
    assert find_terms({"a": a, "c": c}, a**3) == []

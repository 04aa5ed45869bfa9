"""Warnings about the target."""

from __future__ import annotations

import pandas as pd
import pytest

from mlrunner.evaluation.advice.targets import warn_of_many_classes, warn_of_missing_target, warn_of_rare_classes
from tests.support.advice import facts, texts


def test_rows_without_a_target_are_counted() -> None:
    assert texts(warn_of_missing_target, facts(y=[None, 1.0, 2.0] * 20)) == [
        "20 of 60 rows have no y and are left out."
    ]
    assert texts(warn_of_missing_target, facts()) == []


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ([f"${row},000" for row in range(60)], "y holds numbers as text ('$0,000'), which became 60 classes."),
        ([f"city {'abcdefghij'[row % 10]}{'xyz'[row % 3]}" for row in range(60)], "y has 30 classes."),
        (list(range(30)) * 2, "y has 30 classes, which are numbers; dataset.task=regression."),
        (["a", "b", "c"] * 20, None),
    ],
)
def test_many_classes_are_told(target: list[object], text: str | None) -> None:
    assert texts(warn_of_many_classes, facts("classification", y=target)) == ([] if text is None else [text])
    assert texts(warn_of_many_classes, facts("regression", y=target)) == []


def test_rare_classes_are_named_with_their_rows() -> None:
    target = ["a"] * 40 + ["b"] * 10 + ["c"] * 9 + ["d"]
    assert texts(warn_of_rare_classes, facts("classification", y=target)) == [
        "2 classes have fewer than 10 rows: c (9), d (1); their scores are chance."
    ]
    declared = pd.Categorical(["a", "b"] * 30, categories=["a", "b", "never"])
    assert texts(warn_of_rare_classes, facts("classification", y=declared)) == []

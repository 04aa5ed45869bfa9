"""Warning about numbers that came as text."""

from __future__ import annotations

import pandas as pd
import pytest

from mlrunner.evaluation.advice.texts import count_numbers, warn_of_numbers_as_text
from tests.support.advice import facts, texts


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        (["$18,000", "$5", "$7.50"], "'$18,000' has a sign or unit, write the number alone"),
        (["12 %", "5 %", "3 %"], "'12 %' has a sign or unit, write the number alone"),
        (["1,5", "2,25", "7"], "\"dataset.options.decimal=','\""),
        (["1,500", "12,250", "7"], "\"dataset.options.thousands=','\""),
        (["1", "2.5", "-3e2"], "'dataset.dtypes={a: float}'"),
    ],
)
def test_numbers_as_text_are_told_with_what_to_set(values: list[str], hint: str) -> None:
    assert texts(warn_of_numbers_as_text, facts(a=values * 20)) == [f"a holds numbers as text: {hint}."]


def test_words_for_gaps_are_told() -> None:
    values = [str(row) for row in range(57)] + ["?", "-", "?"]
    assert texts(warn_of_numbers_as_text, facts(a=values)) == [
        "a holds numbers as text: \"dataset.options.na_values=['?','-']\"."
    ]


@pytest.mark.parametrize(
    "values",
    [
        ["007", "12", "3"],
        ["a1", "b2", "c3"],
        ["low", "2", "3"],
        [1, 2, 3],
        [None, None, "1"],
        ["13.01.2020", "2.10.2020", "03.3.2020"],
        ["4 rooms and 2 baths", "3", "2"],
    ],
)
def test_codes_and_words_are_no_numbers(values: list[object]) -> None:
    assert texts(warn_of_numbers_as_text, facts(a=values * 20)) == []


def test_numbers_are_counted_with_their_units() -> None:
    assert count_numbers(pd.Series(["1", "€ 2", "3 kg", "4,5", "x", None, "five"])) == 4

"""Hydra's grammar reads a written value as the same value."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as some
from omegaconf import OmegaConf

from mlrunner.composition.override_syntax import explain_call, write_value

KEYS = some.from_regex(r"[a-z_][a-z0-9_.-]{0,8}", fullmatch=True)
TEXTS = some.one_of(
    some.text(some.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12),
    some.sampled_from(
        ["true", "null", "80_20", "1e5", "it's", 'a "b"', "a\\", "\\'", " x ", "", "a,b", "[a]", "{}", "A²"]
    ),
)
NUMBERS = some.one_of(some.booleans(), some.none(), some.integers(), some.floats(allow_nan=False))
VALUES = some.recursive(
    some.one_of(TEXTS, NUMBERS),
    lambda inner: some.one_of(some.lists(inner, max_size=3), some.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)


def read(text: str) -> Any:
    return OverridesParser.create().parse_override(f"key={text}").value()


@given(VALUES)
def test_a_written_value_is_read_again(value: Any) -> None:
    assert read(write_value(value)) == value
    assert type(read(write_value(value))) is type(value)


def test_nan_is_read_again() -> None:
    assert math.isnan(read(write_value(math.nan)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("rf", "rf"),
        ("sklearn.svm.SVR", "sklearn.svm.SVR"),
        ("80_20", "'80_20'"),
        ("my table.csv", "'my table.csv'"),
        (None, "null"),
        (True, "true"),
        (0.1, "0.1"),
        ([1, "a"], "[1,a]"),
        ({"a": 1}, "{a:1}"),
    ],
)
def test_quotes_are_written_only_where_needed(value: Any, text: str) -> None:
    assert write_value(value) == text


def test_an_interpolation_stays_one() -> None:
    read_again = OmegaConf.create({"seed": 7, "key": read(write_value("${seed}"))})
    assert read_again.key == 7


@pytest.mark.parametrize("key", ["a b", "price ($)", "a: b", "a=b,c", "[x]", "{y}", "a\\", "50%", "-1 x", "${a}"])
def test_a_key_is_read_as_it_is(key: str) -> None:
    assert read(write_value({key: 1})) == {key: 1}


@pytest.mark.parametrize("key", ["1", "1.5", "007", "true", "null", "nan"])
def test_a_key_that_would_be_read_as_something_else_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="no override can write the key"):
        write_value({key: 1})


def test_a_key_outside_the_grammar_is_refused() -> None:
    with pytest.raises(ValueError, match="no override can write the key 'größe'"):
        write_value({"größe": 1})


def test_a_wrong_call_of_a_function_is_explained_by_its_reason() -> None:
    reason = "ValueError while evaluating 'choice()': empty choice is not legal\nSee the documentation"
    assert explain_call("a=choice()", ValueError(reason)) == "a=choice() is not possible: empty choice is not legal."
    assert explain_call("a=f(1)", ValueError("while evaluating 'f(1)': Unknown function 'f'")) is None
    assert explain_call("a=(", ValueError("no viable alternative")) is None

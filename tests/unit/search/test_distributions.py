"""Ranges of Hydra's override grammar as Optuna distributions."""

from __future__ import annotations

import math
import random
from decimal import Decimal
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FixedTrial

from mlrunner.core.errors import ConfigError
from mlrunner.search.distributions import contains, encode_choice
from tests.support.spaces import read_range

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)


def read_value(text: str) -> Any:
    """Read an override as Hydra does when it composes."""
    return OverridesParser.create().parse_overrides([text])[0].value()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("range(1,5)", IntDistribution(1, 4), id="range"),
        pytest.param("range(5)", IntDistribution(0, 4), id="range-from-zero"),
        pytest.param("range(0,10,3)", IntDistribution(0, 9, step=3), id="range-step-uneven"),
        pytest.param("range(10,0,-3)", IntDistribution(1, 10, step=3), id="range-downwards-step"),
        pytest.param("range(1,2)", IntDistribution(1, 1), id="range-of-one"),
        pytest.param("sort(range(1,5),reverse=true)", IntDistribution(1, 4), id="range-sorted"),
        pytest.param("tag(log,range(1,5))", IntDistribution(1, 4, log=True), id="range-log"),
        pytest.param("float(range(1,5))", FloatDistribution(1.0, 4.0, step=1.0), id="range-to-float"),
        pytest.param("range(0.1,0.5,0.1)", FloatDistribution(0.1, 0.4, step=0.1), id="range-tenths"),
        pytest.param("range(1.0,0.0,-0.25)", FloatDistribution(0.25, 1.0, step=0.25), id="range-float-downwards"),
        pytest.param("interval(1,5)", FloatDistribution(1.0, 5.0), id="interval-is-float"),
        pytest.param("interval(0.1,1)", FloatDistribution(0.1, 1.0), id="interval"),
        pytest.param("interval(2,2)", FloatDistribution(2.0, 2.0), id="interval-of-one"),
        pytest.param("int(interval(1.7,5.9))", IntDistribution(1, 5), id="int-interval-cuts"),
        pytest.param("tag(log,interval(0.01,10))", FloatDistribution(0.01, 10.0, log=True), id="log"),
        pytest.param("tag(log,int(interval(1,50)))", IntDistribution(1, 50, log=True), id="log-int"),
        pytest.param("int(tag(log,interval(1,50)))", IntDistribution(1, 50, log=True), id="int-log"),
        pytest.param("tag(mine,log,interval(1,2))", FloatDistribution(1.0, 2.0, log=True), id="several-tags"),
    ],
)
def test_a_range_becomes_a_distribution(text: str, expected: BaseDistribution) -> None:
    dimension = read_range(text)
    assert (dimension.key, dimension.distribution, dimension.text) == ("a", expected, text)
    assert type(dimension.distribution) is type(expected)


@given(start=st.integers(-20, 20), count=st.integers(1, 20), step=st.integers(1, 7), up=st.booleans())
def test_a_range_has_the_values_of_a_python_range(start: int, count: int, step: int, up: bool) -> None:
    step = step if up else -step
    stop = start + count * step
    values = read_range(f"range({start},{stop},{step})").values
    assert values == list(range(start, stop, step))
    assert stop not in values


def tenths(start: int, step: int, count: int) -> tuple[str, list[float]]:
    """A range in tenths, and its values in exact arithmetic."""
    low, each = Decimal(start) / 10, Decimal(step) / 10
    stop = low + each * count
    return f"range({float(low)},{float(stop)},{float(each)})", [float(low + each * place) for place in range(count)]


@pytest.mark.parametrize(
    ("start", "step", "count"),
    [
        pytest.param(0, 1, 8, id="range(0.0,0.8,0.1)-holds-0.8"),
        pytest.param(5, 5, 9, id="binary-steps"),
        pytest.param(1, 1, 4, id="range(0.1,0.5,0.1)-holds-0.30000000000000004"),
        pytest.param(0, 2, 4, id="range(0.0,0.8,0.2)-warns"),
        pytest.param(5, -1, 4, id="range(0.5,0.1,-0.1)-warns"),
    ],
)
def test_a_float_range_excludes_its_stop(start: int, step: int, count: int) -> None:
    text, expected = tenths(start, step, count)
    assert read_range(text).values == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("range(1,1)", "it has no values; the stop is excluded"),
        ("range(1,5,0)", "range() arg 3 must not be zero"),
        ("interval(5,1)", "`low <= high` must hold, but got (low=5.0, high=1.0)"),
        ("tag(log,interval(0,5))", "a logarithmic interval must start above 0"),
        ("tag(log,range(1,9,2))", "the step of a logarithmic range must be 1"),
        ("tag(log,range(-1,5))", "`low >= 1` must hold for `log=True`, but got (low=-1, high=4)"),
        ("3", "Can only enumerate CHOICE and RANGE sweeps, type is ValueType.ELEMENT"),
        ("tag(log,range(1.0,5.0))", "a logarithmic range must consist of whole numbers"),
        ("interval(1,inf)", "an interval has two ends"),
        ("range(1,inf)", "a range has two ends"),
        ("range(0.0,1.0,0)", "its step must not be zero"),
    ],
)
def test_an_invalid_range_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_range(text)
    assert str(caught.value) == f"a={text} is not a valid range: {reason}."


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        pytest.param("1,2", (1, 2), id="simple"),
        pytest.param("choice(a,1,1.5,true,false)", ("a", 1, 1.5, True, False), id="all-types"),
        pytest.param("null,true,8", (None, True, 8), id="null"),
        pytest.param("'80_20',kfold", ("'80_20'", "kfold"), id="quoted-option"),
        pytest.param("choice('1','true','null','1e3')", ("'1'", "'true'", "'null'", "'1e3'"), id="texts-of-values"),
        pytest.param("choice('a,b',' c','it\\'s')", ("'a,b'", "' c'", "'it\\'s'"), id="texts-with-signs"),
        pytest.param("choice('',b)", ("", "b"), id="empty-text"),
        pytest.param("choice(/x/y.csv,C:/z)", ("/x/y.csv", "C:/z"), id="paths"),
        pytest.param("choice(${b},c)", ("${b}", "c"), id="interpolation"),
        pytest.param("choice([1,2],[3])", ("[1,2]", "[3]"), id="lists"),
        pytest.param("choice({x:1},{x:2})", ("{x:1}", "{x:2}"), id="dicts"),
        pytest.param("str(choice(1,2))", ("'1'", "'2'"), id="cast-to-text"),
        pytest.param("bool(choice(1,0))", (True, False), id="cast-to-bool"),
        pytest.param("sort(choice(3,1,2),reverse=true)", (3, 2, 1), id="sort-reverse"),
        pytest.param("choice(1,true,1,1.0)", (1, True, 1.0), id="repeated-types"),
        pytest.param("shuffle(range(0.0,0.1,0.1))", (0.0,), id="shuffled-tenths"),
    ],
)
def test_choices_become_a_distribution(text: str, choices: tuple[Any, ...]) -> None:
    dimension = read_range(text)
    assert dimension.distribution == CategoricalDistribution(choices)
    assert dimension.values == list(choices)
    assert list(map(type, dimension.values)) == list(map(type, choices))


@pytest.mark.parametrize("text", ["shuffle(choice(1,2,3))", "shuffle(range(1,4))"])
def test_shuffled_values_are_in_random_order(text: str) -> None:
    orders = set()
    for seed in range(20):
        random.seed(seed)
        orders.add(tuple(read_range(text).values))
    assert {tuple(sorted(order)) for order in orders} == {(1, 2, 3)}
    assert len(orders) > 1


@pytest.mark.parametrize("value", ["'80_20'", "null", "true", "1e-05", "[1,2]", "{x:1}", "''", "'a,b'", "c d"])
def test_an_override_of_a_choice_sets_the_same_value_as_the_command_line(value: str) -> None:
    """What a trial's override sets is what the same text sets on the command line of one run."""
    (choice, _) = read_range(f"{value},other").values
    (text,) = read_range(f"{value},other").overrides(choice)
    assert read_value(text) == read_value(f"a={value}")


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_any_text_survives_a_choice(text: str) -> None:
    quoted = QuotedString(text, Quote.single).with_quotes()
    dimension = read_range(f"choice({quoted},zzz)")
    (override,) = dimension.overrides(dimension.values[0])
    assert read_value(override) == text


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        (True, True),
        (0.5, 0.5),
        ("a", "a"),
        ("3", "'3'"),
        ("a,b", "'a,b'"),
        ([1], "[1]"),
        (["80_20", "a"], "['80_20',a]"),
    ],
)
def test_a_choice_is_encoded_for_optuna(choice: Any, expected: Any) -> None:
    assert encode_choice(choice) == expected


@pytest.mark.parametrize(
    ("distribution", "inside", "outside"),
    [
        (IntDistribution(1, 50, log=True), [1, 7.0, 50], [0, 7.5, 51]),
        (FloatDistribution(0.0, 1.0), [0, 0.123, 1.0], [-0.1, 1.1, math.nan]),
        (FloatDistribution(0.0, 0.8, step=0.1), [0.1 + 0.2, 0.3, 0.8], [0.35, 0.9]),
        (CategoricalDistribution([1, 2]), [], [1]),
    ],
    ids=str,
)
def test_a_distribution_contains_its_values(
    distribution: BaseDistribution, inside: list[float], outside: list[float]
) -> None:
    assert [value for value in inside if not contains(distribution, value)] == []
    assert [value for value in outside if contains(distribution, value)] == []


@given(low=st.integers(-9, 9), span=st.integers(0, 20), step=st.integers(1, 5), value=st.integers(-20, 40))
def test_optuna_accepts_a_contained_value(low: int, span: int, step: int, value: int) -> None:
    """Optuna warns of a fixed parameter outside of its distribution, and warnings are errors here."""
    distribution = IntDistribution(low, low + span // step * step, step=step)
    trial = FixedTrial({"x": value})
    if contains(distribution, value):
        assert trial.suggest_int("x", distribution.low, distribution.high, step=step) == value
    else:
        with pytest.warns(UserWarning, match="out of"):
            trial.suggest_int("x", distribution.low, distribution.high, step=step)

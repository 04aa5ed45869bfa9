"""The keys and values of one dimension."""

from __future__ import annotations

from typing import Any

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.search.grammar import parse_override, read_dimension, read_zip
from tests.support.spaces import read_range

INFINITE = (
    "{} has infinitely many values, so a grid cannot try them all; list some with choice(…) or range(…), or choose "
    "another hydra/sweeper/sampler."
)


@pytest.mark.parametrize("value", [0.30000000000000004, 0.3, 0.29999999999999993])
def test_a_draw_is_rounded_to_the_step(value: float) -> None:
    assert read_range("range(0.0,0.8,0.1)").overrides(value) == ("a=0.3",)


@pytest.mark.parametrize(
    ("text", "key", "override"),
    [
        ("model.estimator.alpha=1,2", "model.estimator.alpha", "model.estimator.alpha=1"),
        ("+extra=1,2", "+extra", "+extra=1"),
        ("++extra=1,2", "++extra", "++extra=1"),
        ("features@model.features=1,2", "features@model.features", "features@model.features=1"),
    ],
)
def test_a_key_keeps_its_prefix(text: str, key: str, override: str) -> None:
    dimension = read_dimension(parse_override(text))
    assert (dimension.name, dimension.key) == (key, key)
    assert dimension.overrides(1) == (override,)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("range(1,5)", [1, 2, 3, 4]),
        ("range(10,0,-3)", [10, 7, 4, 1]),
        ("range(1,0,-0.5)", [1.0, 0.5]),
        ("int(interval(1,5))", [1, 2, 3, 4, 5]),
        ("range(1,2,0.25)", [1.0, 1.25, 1.5, 1.75]),
        ("b,a", ["b", "a"]),
    ],
)
def test_values_of_a_grid(text: str, values: list[Any]) -> None:
    assert read_range(text).values == values


@pytest.mark.parametrize("text", ["interval(1,5)", "tag(log,interval(1,5))", "tag(log,int(interval(1,5)))"])
def test_a_continuous_range_has_no_values_for_a_grid(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _ = read_range(text).values
    assert str(caught.value) == INFINITE.format(f"a={text}")


def test_a_zip_without_one_of_its_keys_keeps_the_others() -> None:
    size = read_zip("size=zip(a=choice(1,2,3),+b=choice(x,x,y))")
    assert size is not None
    assert size.keys == ("a", "b")
    shortened = size.without("a")
    assert shortened is not None
    assert shortened.values == ["+b=x", "+b=y"]
    assert shortened.overrides("+b=y") == ("+b=y",)
    assert shortened.without("b") is None


def test_a_range_without_its_key_is_nothing() -> None:
    dimension = read_dimension(parse_override("+a=1,2"))
    assert dimension.without("a") is None
    assert dimension.without("b") is dimension


def test_the_model_of_a_value() -> None:
    size = read_zip("size=zip(model=choice(rf,ridge),seeds=choice(1,2))")
    assert size is not None
    assert [size.get_model(value) for value in size.values] == ["rf", "ridge"]
    assert read_range("1,2").get_model(1) is None

"""Rules of `hydra.sweeper.exclude`."""

from __future__ import annotations

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.search.exclusion import read_exclusions
from tests.support.spaces import build_space, list_grid


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param(["model=forest,cleaning=full"], ["forest-none", "line-full", "line-none"], id="conjunction"),
        pytest.param(["model=f*,cleaning=f*"], ["forest-none", "line-full", "line-none"], id="globs"),
        pytest.param(["model=[fl]*"], [], id="all"),
        pytest.param(["model=forest", "cleaning=full"], ["line-none"], id="either"),
        pytest.param([" model=line , cleaning=none "], ["forest-full", "forest-none", "line-full"], id="spaces"),
        pytest.param(
            ["model=forest,cleaning=dates"], ["forest-full", "forest-none", "line-full", "line-none"], id="none"
        ),
        pytest.param(["cleaning=FULL"], ["forest-full", "forest-none", "line-full", "line-none"], id="case"),
        pytest.param(["clean=full"], ["forest-full", "forest-none", "line-full", "line-none"], id="another-key"),
        pytest.param([], ["forest-full", "forest-none", "line-full", "line-none"], id="no-rule"),
    ],
)
def test_an_excluded_combination_is_left_out(rules: list[str], expected: list[str]) -> None:
    space = list_grid("model=forest,line", "cleaning=full,none", exclude=tuple(rules))
    assert ["-".join(text.partition("=")[2] for text in overrides) for overrides in space] == expected


@pytest.mark.parametrize(
    ("overrides", "rule", "expected"),
    [
        pytest.param("a=1,2", "a=1", [("a=2",)], id="number"),
        pytest.param("a=null,2", "a=null", [("a=2",)], id="null"),
        pytest.param("+a=1,2", "a=1", [("+a=2",)], id="addition"),
        pytest.param("s=zip(a=choice(1,2),b=choice(3,4))", "b=4", [("a=1", "b=3")], id="zipped"),
        pytest.param("a=[1,2],[3]", "a=[[]1,2]", [("a=[3]",)], id="list"),
        pytest.param(
            "split='80_20',kfold",
            "split=80_20",
            [("split=kfold",)],
            id="option-like-a-number",
        ),
        pytest.param(
            "a=true,2",
            "a=true",
            [("a=2",)],
            id="truth",
        ),
        pytest.param("+a=1,2", "+a=1", [("+a=2",)], id="plus"),
        pytest.param(
            "a=x,y",
            "model=forest,a=x",
            [("a=y",)],
            id="default-model",
        ),
    ],
)
def test_a_rule_matches_a_value_as_it_is_written(overrides: str, rule: str, expected: list[tuple[str, ...]]) -> None:
    assert list_grid(overrides, exclude=(rule,)) == expected


def test_a_rule_matches_fixed_overrides() -> None:
    assert list_grid("model=line", "cleaning=full,none", exclude=("model=line,cleaning=full",)) == [
        ("model=line", "cleaning=none")
    ]


@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        ("model=rf", ("model=rf",)),
        ("model=rf,cleaning=f*", ("model=rf", "cleaning=f*")),
        ("a='x,y',b=[1,2]", ("a='x,y'", "b=[1,2]")),
    ],
)
def test_rules_are_split_at_their_commas(rule: str, parts: tuple[str, ...]) -> None:
    assert read_exclusions([rule]) == (parts,)


@pytest.mark.parametrize("rule", ["model", "model=rf,full", "model:rf"])
def test_a_rule_without_key_and_value_is_refused(rule: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build_space(exclude=(rule,))
    assert str(caught.value) == (
        f"hydra.sweeper.exclude: '{rule}' is not a combination; write it like model=rf,cleaning=full."
    )


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("split='80_20'", ["split=kfold"]),
        ("split=*", []),
        ("split=80*", ["split=kfold"]),
        ("++split=kfold", ["split='80_20'"]),
    ],
)
def test_a_rule_matches_with_and_without_quotes(rule: str, expected: list[str]) -> None:
    assert list_grid("split='80_20',kfold", exclude=(rule,)) == [(text,) for text in expected]


@pytest.mark.parametrize("rule", ["a=true", "a=True"])
def test_a_rule_matches_a_boolean_in_any_spelling(rule: str) -> None:
    assert list_grid("a=true", "b=1,2", exclude=(f"{rule},b=1",)) == [("a=true", "b=2")]


def test_an_empty_rule_is_refused() -> None:
    with pytest.raises(ConfigError):
        build_space(exclude=("",))

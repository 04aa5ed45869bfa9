"""Rules of `hydra.sweeper.exclude`."""

from __future__ import annotations

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.search.exclusion import read_exclusions
from tests.support.spaces import build_space, list_grid

ALL = ["forest-full", "forest-none", "line-full", "line-none"]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param(["model=forest,cleaning=full"], ["forest-none", "line-full", "line-none"], id="conjunction"),
        pytest.param(["model=[fl]*,cleaning=f*"], ["forest-none", "line-none"], id="globs"),
        pytest.param(["model=forest", "cleaning=full"], ["line-none"], id="either"),
        pytest.param([" model=line , cleaning=none "], ["forest-full", "forest-none", "line-full"], id="spaces"),
        pytest.param(["cleaning=FULL", "clean=full", "model=forest,cleaning=dates"], ALL, id="none"),
    ],
)
def test_an_excluded_combination_is_left_out(rules: list[str], expected: list[str]) -> None:
    space = list_grid("model=forest,line", "cleaning=full,none", exclude=tuple(rules))
    assert ["-".join(text.partition("=")[2] for text in overrides) for overrides in space] == expected


@pytest.mark.parametrize(
    ("overrides", "rule", "expected"),
    [
        pytest.param("a=null,2", "a=null", [("a=2",)], id="null"),
        pytest.param("+a=1,2", "a=1", [("+a=2",)], id="addition"),
        pytest.param("a=1,2", "++a=1", [("a=2",)], id="addition-in-the-rule"),
        pytest.param("s=zip(a=choice(1,2),b=choice(3,4))", "b=4", [("a=1", "b=3")], id="zipped"),
        pytest.param("a=[1,2],[3]", "a=[[]1,2]", [("a=[3]",)], id="list"),
        pytest.param("split='80_20',kfold", "split=80_20", [("split=kfold",)], id="option-like-a-number"),
        pytest.param("split='80_20',kfold", "split='80_20'", [("split=kfold",)], id="quoted-rule"),
        pytest.param("split='80_20',kfold", "split=80*", [("split=kfold",)], id="glob-of-a-quoted-option"),
        pytest.param("a=true,2", "a=true", [("a=2",)], id="boolean"),
        pytest.param("a=true,2", "a=True", [("a=2",)], id="boolean-of-python"),
        pytest.param("a=x,y", "model=forest,a=x", [("a=y",)], id="default-model"),
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
    [("model=rf,cleaning=f*", ("model=rf", "cleaning=f*")), ("a='x,y',b=[1,2]", ("a='x,y'", "b=[1,2]"))],
)
def test_rules_are_split_at_their_commas(rule: str, parts: tuple[str, ...]) -> None:
    assert read_exclusions([rule]) == (parts,)


@pytest.mark.parametrize("rule", ["", "model=rf,full", "model:rf"])
def test_a_rule_without_key_and_value_is_refused(rule: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build_space(exclude=(rule,))
    assert str(caught.value) == (
        f"hydra.sweeper.exclude: '{rule}' is not a combination; write it like model=rf,cleaning=full."
    )

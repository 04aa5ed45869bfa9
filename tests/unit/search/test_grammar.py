"""Sweep overrides, zips and their error messages."""

from __future__ import annotations

from typing import Any

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from optuna.distributions import CategoricalDistribution

from mlrunner.core.errors import ConfigError
from mlrunner.search.grammar import parse_override, read_dimension, read_zip, refuse_seeds, split_at_commas
from tests.support.front_door import PROJECT
from tests.support.spaces import read_range

NOT_AN_OVERRIDE = (
    "'{}' is not an override{reason}; write key=choice(a,b), key=range(1,5), key=interval(0.1,1) or "
    "key=tag(log,interval(0.1,10))."
)
SEED_REFUSED = (
    "{}: a search over seeds would only pick the luckiest; set hydra.sweeper.repeats=5 to average each trial over five "
    "seeds."
)


@pytest.fixture(scope="module")
def loader() -> Any:
    with initialize_config_dir(str(PROJECT / "conf"), version_base="1.3"):
        return GlobalHydra.instance().config_loader()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("range(1,5", ""),
        ("[1", ""),
        ("interval(1)", " (missing a required argument: 'end')"),
        ("interval(a,b)", " (mismatch type argument start: str is incompatible with Union[int, float])"),
        ("choice()", " (empty choice is not legal)"),
        ("choice(null,8)", ": choice(…) takes no null, write key=null,8 instead"),
        ("roll(1,2)", " (Unknown function 'roll')"),
        ("str(range(1,3))", " (Range can only be cast to int or float)"),
        ("tag(log)", " (Last argument to tag() must be a choice(), range() or interval(), got NoneType)"),
    ],
)
def test_a_syntax_error_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_range(text)
    assert str(caught.value) == NOT_AN_OVERRIDE.format(f"a={text}", reason=reason)


@pytest.mark.parametrize(
    "text", ["+seed=1,2", "++split.seed=interval(0,1)", "model.estimator.random_state=choice(1,2)", "a.random_seed=1,2"]
)
def test_a_search_over_seeds_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        refuse_seeds([read_dimension(parse_override(text))])
    assert str(caught.value) == SEED_REFUSED.format(text)


@pytest.mark.parametrize("key", ["model.seed_ratio", "reseed", "model.random_states"])
def test_a_key_that_resembles_a_seed_is_searched(key: str) -> None:
    assert read_dimension(parse_override(f"{key}=1,2")).values == [1, 2]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("model=glob([r*,d*],exclude=rf)", ("dummy", "ridge")),
        ("split=glob(*kfold)", ("grouped_kfold", "kfold", "stratified_kfold")),
        ("split=glob(*0*)", ("'70_15_15'", "'80_20'")),
    ],
)
def test_a_glob_lists_the_options_of_its_group(text: str, options: tuple[str, ...], loader: Any) -> None:
    assert read_dimension(parse_override(text, loader)).distribution == CategoricalDistribution(options)


def test_a_glob_without_matches_is_refused(loader: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        read_dimension(parse_override("model=glob(zz*)", loader))
    assert str(caught.value) == "model=glob(zz*) is not a valid range: it has no values."


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        pytest.param("zip( a=choice(1,2) , b=choice(3,4) )", [("a=1", "b=3"), ("a=2", "b=4")], id="spaces"),
        pytest.param("zip(a=range(0.0,0.2,0.1),b=range(9,7,-1))", [("a=0.0", "b=9"), ("a=0.1", "b=8")], id="ranges"),
        pytest.param(
            "zip(a=choice('x,y',z),b=choice([1,2],{q:1}))",
            [("a='x,y'", "b=[1,2]"), ("a=z", "b={q:1}")],
            id="commas-inside",
        ),
        pytest.param(
            "zip(split=choice('80_20',kfold),+c=choice(true,false),f@g=choice(u,v))",
            [("split='80_20'", "+c=True", "f@g=u"), ("split=kfold", "+c=False", "f@g=v")],
            id="three-keys",
        ),
        pytest.param("zip(a=choice(1,1),b=choice(2,2))", [("a=1", "b=2")], id="the-same-row-twice"),
    ],
)
def test_zipped_keys_change_together(text: str, rows: list[tuple[str, ...]]) -> None:
    dimension = read_zip(f"size={text}")
    assert dimension is not None
    assert (dimension.name, dimension.key, dimension.text, dimension.model) == ("size", "size", text, None)
    assert [dimension.overrides(value) for value in dimension.values] == rows
    assert dimension.values == [",".join(row) for row in rows]


@pytest.mark.parametrize("text", ["a=choice(1,2)", "zip=1,2", "a=zippy(b)", "zip(a=choice(1,2),b=choice(1,2))"])
def test_another_override_is_not_a_zip(text: str) -> None:
    assert read_zip(text) is None


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ("a=choice(1),b=choice(3,4),c=range(0,3)", "its keys have 1, 2, 3 values; give each the same number."),
        ("a=interval(0,1),b=3", "'a=interval(0,1)' is not a list of values; write s=zip(a=choice(1,2),b=choice(3,4))."),
        ("a=choice(1,2)", "it names fewer than two keys; write s=zip(a=choice(1,2),b=choice(3,4))."),
        ("a=range(1,1),b=range(1,1)", "a=range(1,1) is not a valid range: it has no values."),
    ],
    ids=["unequal", "interval", "one-key", "empty"],
)
def test_an_invalid_zip_is_refused(inside: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_zip(f"s=zip({inside})")
    assert str(caught.value) == f"s=zip({inside}): {reason}"


def test_a_syntax_error_in_a_zip_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        read_zip("s=zip(a=1,2,b=3,4)")
    assert str(caught.value) == NOT_AN_OVERRIDE.format("2", reason="")


def test_a_seed_in_a_zip_is_refused() -> None:
    zipped = read_zip("s=zip(seed=choice(1,2),a=choice(1,2))")
    assert zipped is not None
    with pytest.raises(ConfigError, match=r"^s=zip\(seed=.*: a search over seeds"):
        refuse_seeds([zipped])


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        (" a=1 , b=2 ", ["a=1", "b=2"]),
        ("a=[1,2],b={x:1,y:(2,3)}", ["a=[1,2]", "b={x:1,y:(2,3)}"]),
        ("a='1,2',b=\"3,4\"", ["a='1,2'", 'b="3,4"']),
        ("a='it\"s,x',b=2", ["a='it\"s,x'", "b=2"]),
        ("a=1,", ["a=1"]),
        ("a='it\\'s,x',b=2", ["a='it\\'s,x'", "b=2"]),
        ("a='\\\\',b=2", ["a='\\\\'", "b=2"]),
        ("a=x\\,y,b=2", ["a=x\\,y", "b=2"]),
    ],
)
def test_commas_inside_of_brackets_and_quotes_do_not_split(text: str, parts: list[str]) -> None:
    assert split_at_commas(text) == parts

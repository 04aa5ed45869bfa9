"""Ranges as they are written, and what Optuna is told of them."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from mlrunner.core.errors import ConfigError
from mlrunner.search.distributions import encoded
from mlrunner.search.grammar import Dimension, dimension, parse, split, zipped
from tests.support.front_door import PROJECT

NO_OVERRIDE = (
    "'{}' is not an override{reason}; write key=choice(a,b), key=range(1,5), key=interval(0.1,1) or "
    "key=tag(log,interval(0.1,10))."
)
SEED = (
    "{}: a seed is not searched, for the luckiest would win; set hydra.sweeper.repeats=5 to average each trial over "
    "five seeds."
)
ENDLESS = (
    "{} has no end of values, so no grid; name some with choice(…) or range(…), or choose another "
    "hydra/sweeper/sampler."
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)


def read(text: str) -> Dimension:
    """Read a range of the key `a`."""
    return dimension(parse(f"a={text}"))


def value_of(text: str) -> Any:
    """Read an override as Hydra does when it composes."""
    return OverridesParser.create().parse_overrides([text])[0].value()


# Numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("range(1,5)", IntDistribution(1, 4), id="range"),
        pytest.param("range(5)", IntDistribution(0, 4), id="range-from-zero"),
        pytest.param("range(100,401,100)", IntDistribution(100, 400, step=100), id="range-step"),
        pytest.param("range(0,10,3)", IntDistribution(0, 9, step=3), id="range-step-uneven"),
        pytest.param("range(-3,3,2)", IntDistribution(-3, 1, step=2), id="range-negative"),
        pytest.param("range(5,1,-1)", IntDistribution(2, 5), id="range-downwards"),
        pytest.param("range(10,0,-3)", IntDistribution(1, 10, step=3), id="range-downwards-step"),
        pytest.param("range(start=1,stop=5)", IntDistribution(1, 4), id="range-named"),
        pytest.param("range(1,2)", IntDistribution(1, 1), id="range-of-one"),
        pytest.param("sort(range(1,5),reverse=true)", IntDistribution(1, 4), id="range-sorted"),
        pytest.param("tag(log,range(1,5))", IntDistribution(1, 4, log=True), id="range-log"),
        pytest.param("int(range(1.0,5.0))", IntDistribution(1, 4), id="range-cast"),
        pytest.param("float(range(1,5))", FloatDistribution(1.0, 4.0, step=1.0), id="range-to-float"),
        pytest.param("range(1,2,0.25)", FloatDistribution(1.0, 1.75, step=0.25), id="range-float"),
        pytest.param("range(0.1,0.5,0.1)", FloatDistribution(0.1, 0.4, step=0.1), id="range-tenths"),
        pytest.param("range(1.0,0.0,-0.25)", FloatDistribution(0.25, 1.0, step=0.25), id="range-float-downwards"),
        pytest.param("interval(1,5)", FloatDistribution(1.0, 5.0), id="interval-is-float"),
        pytest.param("interval(0.1,1)", FloatDistribution(0.1, 1.0), id="interval"),
        pytest.param("interval(-1,1)", FloatDistribution(-1.0, 1.0), id="interval-negative"),
        pytest.param("interval(2,2)", FloatDistribution(2.0, 2.0), id="interval-of-one"),
        pytest.param("int(interval(1,5))", IntDistribution(1, 5), id="int-interval-has-both-ends"),
        pytest.param("int(interval(1.7,5.9))", IntDistribution(1, 5), id="int-interval-cuts"),
        pytest.param("tag(log,interval(0.01,10))", FloatDistribution(0.01, 10.0, log=True), id="log"),
        pytest.param("tag(log,int(interval(1,50)))", IntDistribution(1, 50, log=True), id="log-int"),
        pytest.param("int(tag(log,interval(1,50)))", IntDistribution(1, 50, log=True), id="int-log"),
        pytest.param("tag(mine,log,interval(1,2))", FloatDistribution(1.0, 2.0, log=True), id="several-tags"),
        pytest.param("tag(mine,interval(1,2))", FloatDistribution(1.0, 2.0), id="another-tag"),
    ],
)
def test_a_range_of_numbers(text: str, expected: BaseDistribution) -> None:
    found = read(text)
    assert found == Dimension("a", "a", expected, text)
    assert type(found.distribution) is type(expected)


@given(start=st.integers(-20, 20), count=st.integers(1, 20), step=st.integers(1, 7), up=st.booleans())
def test_a_range_has_the_values_of_pythons(start: int, count: int, step: int, up: bool) -> None:
    step = step if up else -step
    stop = start + count * step
    found = read(f"range({start},{stop},{step})").values
    assert sorted(found) == sorted(range(start, stop, step))
    assert stop not in found


def tenths(start: int, step: int, count: int) -> tuple[str, list[float]]:
    """A range in tenths, and its values in exact arithmetic."""
    low, each = Decimal(start) / 10, Decimal(step) / 10
    stop = low + each * count
    return f"range({float(low)},{float(stop)},{float(each)})", [float(low + each * one) for one in range(count)]


@pytest.mark.parametrize("count", [3, 4, 9], ids=["3", "4", "9"])
@pytest.mark.parametrize("start", [0, 5])
def test_a_float_range_of_binary_steps_has_its_values(start: int, count: int) -> None:
    text, expected = tenths(start, 5, count)
    assert read(text).values == expected


@pytest.mark.parametrize(
    ("start", "step", "count"),
    [
        pytest.param(0, 1, 8, id="range(0.0,0.8,0.1)-holds-0.8"),
        pytest.param(0, 1, 1, id="range(0.0,0.1,0.1)-holds-0.1"),
        pytest.param(0, 1, 5, id="range(0.0,0.5,0.1)-holds-0.30000000000000004"),
        pytest.param(1, 1, 4, id="range(0.1,0.5,0.1)-holds-0.30000000000000004"),
        pytest.param(0, 2, 4, id="range(0.0,0.8,0.2)-warns"),
        pytest.param(5, -1, 4, id="range(0.5,0.1,-0.1)-warns"),
    ],
)
def test_a_float_range_has_its_values_and_never_its_stop(start: int, step: int, count: int) -> None:
    text, expected = tenths(start, step, count)
    assert read(text).values == sorted(expected)


@pytest.mark.parametrize("value", [0.30000000000000004, 0.3, 0.29999999999999993])
def test_a_draw_of_a_range_with_steps_is_written_as_the_value_is(value: float) -> None:
    assert read("range(0.0,0.8,0.1)").overrides(value) == ("a=0.3",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("range(1,1)", "it has no values; the stop is not one of them"),
        ("range(5,1)", "it has no values; the stop is not one of them"),
        ("range(1,5,0)", "range() arg 3 must not be zero"),
        ("interval(5,1)", "`low <= high` must hold, but got (low=5.0, high=1.0)"),
        ("int(interval(5,1))", "`low <= high` must hold, but got (low=5, high=1)"),
        ("tag(log,interval(0,5))", "a logarithmic interval begins above 0"),
        ("tag(log,interval(-1,5))", "a logarithmic interval begins above 0"),
        ("tag(log,range(1,9,2))", "a logarithmic range has steps of 1"),
        ("tag(log,range(-1,5))", "`low >= 1` must hold for `log=True`, but got (low=-1, high=4)"),
        ("3", "Can only enumerate CHOICE and RANGE sweeps, type is ValueType.ELEMENT"),
        ("tag(log,range(1.0,5.0))", "a logarithmic range has whole numbers"),
        ("interval(1,inf)", "an interval has two ends"),
        ("range(1,inf)", "a range has two ends"),
        ("range(0.0,1.0,0)", "its step must not be zero"),
    ],
)
def test_what_is_no_range_is_refused(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value) == f"a={text} is no range: {told}."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("range(1,5", ""),
        ("[1", ""),
        ("interval(1)", " (missing a required argument: 'end')"),
        ("interval(a,b)", " (mismatch type argument start: str is incompatible with Union[int, float])"),
        ("choice()", " (empty choice is not legal)"),
        ("choice(null,8)", ", for choice(…) takes no null, which key=null,8 does"),
        ("roll(1,2)", " (Unknown function 'roll')"),
        ("str(range(1,3))", " (Range can only be cast to int or float)"),
        ("tag(log)", " (Last argument to tag() must be a choice(), range() or interval(), got NoneType)"),
    ],
)
def test_what_hydra_does_not_read_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value) == NO_OVERRIDE.format(f"a={text}", reason=reason)


# Choices


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        pytest.param("1,2", (1, 2), id="simple"),
        pytest.param("choice(1,2)", (1, 2), id="choice"),
        pytest.param("choice(a)", ("a",), id="of-one"),
        pytest.param("choice(a,1,1.5,true,false)", ("a", 1, 1.5, True, False), id="all-types"),
        pytest.param("null,true,8", (None, True, 8), id="null"),
        pytest.param("'80_20',kfold", ("'80_20'", "kfold"), id="quoted-option"),
        pytest.param("choice('80_20',kfold)", ("'80_20'", "kfold"), id="quoted-in-choice"),
        pytest.param("choice('1','true','null','1e3')", ("'1'", "'true'", "'null'", "'1e3'"), id="texts-of-values"),
        pytest.param("choice('a,b',' c','it\\'s')", ("'a,b'", "' c'", "'it\\'s'"), id="texts-with-signs"),
        pytest.param("choice('a','b c',\"d\")", ("a", "b c", "d"), id="quotes-that-are-not-needed"),
        pytest.param("choice('',b)", ("", "b"), id="empty-text"),
        pytest.param("choice(/x/y.csv,C:/z)", ("/x/y.csv", "C:/z"), id="paths"),
        pytest.param("choice(${b},c)", ("${b}", "c"), id="interpolation"),
        pytest.param("choice([1,2],[3])", ("[1,2]", "[3]"), id="lists"),
        pytest.param("choice({x:1},{x:2})", ("{x:1}", "{x:2}"), id="dicts"),
        pytest.param("str(choice(1,2))", ("'1'", "'2'"), id="cast-to-text"),
        pytest.param("bool(choice(1,0))", (True, False), id="cast-to-bool"),
        pytest.param("float(choice(1,2))", (1.0, 2.0), id="cast-to-float"),
        pytest.param("sort(3,1,2)", (1, 2, 3), id="sort"),
        pytest.param("sort(choice(3,1,2),reverse=true)", (3, 2, 1), id="sort-reverse"),
        pytest.param("tag(log,choice(1,10))", (1, 10), id="tagged"),
        pytest.param("a,b,a", ("a", "b"), id="repeated"),
        pytest.param("choice(1,true,1,1.0)", (1, True, 1.0), id="repeated-types"),
        pytest.param("shuffle(range(0.0,0.1,0.1))", (0.0,), id="shuffled-tenths"),
    ],
)
def test_choices(text: str, choices: tuple[Any, ...]) -> None:
    found = read(text)
    assert found.distribution == CategoricalDistribution(choices)
    assert found.values == list(choices)
    assert list(map(type, found.values)) == list(map(type, choices))


@pytest.mark.parametrize("text", ["shuffle(1,2,3)", "shuffle(choice(1,2,3))", "shuffle(range(1,4))"])
def test_shuffled_values_have_an_order_of_their_own(text: str) -> None:
    orders = set()
    for seed in range(20):
        random.seed(seed)
        orders.add(tuple(read(text).values))
    assert {tuple(sorted(order)) for order in orders} == {(1, 2, 3)}
    assert len(orders) > 1


@pytest.mark.parametrize("value", ["'80_20'", "null", "true", "1e-05", "[1,2]", "{x:1}", "''", "'a,b'", "c d"])
def test_a_choice_is_written_as_hydra_reads_it(value: str) -> None:
    """What a trial's override sets is what the same text sets on the command line of one run."""
    (choice, _) = read(f"{value},other").values
    (text,) = read(f"{value},other").overrides(choice)
    assert value_of(text) == value_of(f"a={value}")


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_any_text_comes_back_from_a_choice(text: str) -> None:
    quoted = QuotedString(text, Quote.single).with_quotes()
    found = read(f"choice({quoted},zzz)")
    (override,) = found.overrides(found.values[0])
    assert value_of(override) == text


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (0.5, 0.5),
        ("a", "a"),
        ("3", "'3'"),
        ("a,b", "'a,b'"),
        ([1], "[1]"),
        (["80_20", "a"], "['80_20',a]"),
    ],
)
def test_optuna_is_given_what_it_can_take(choice: Any, expected: Any) -> None:
    assert encoded(choice) == expected


# Keys


@pytest.mark.parametrize(
    ("text", "key", "override"),
    [
        ("model.estimator.alpha=1,2", "model.estimator.alpha", "model.estimator.alpha=1"),
        ("+extra=1,2", "+extra", "+extra=1"),
        ("++extra=1,2", "++extra", "++extra=1"),
        ("features@model.features=1,2", "features@model.features", "features@model.features=1"),
    ],
)
def test_a_key_is_kept_as_it_was_written(text: str, key: str, override: str) -> None:
    found = dimension(parse(text))
    assert (found.name, found.key) == (key, key)
    assert found.overrides(1) == (override,)


@pytest.mark.parametrize(
    "text",
    [
        "seed=1,2",
        "seed=range(0,5)",
        "+seed=1,2",
        "++split.seed=interval(0,1)",
        "split.seed=range(1,3)",
        "model.estimator.random_state=choice(1,2)",
        "model.estimator.random_seed=1,2",
        "hydra.sweeper.sampler.seed=1,2",
    ],
)
def test_a_seed_is_never_searched(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        dimension(parse(text))
    assert str(caught.value) == SEED.format(text)


@pytest.mark.parametrize("key", ["seeds", "model.seed_ratio", "reseed", "model.random_states"])
def test_what_only_sounds_like_a_seed_is_searched(key: str) -> None:
    assert dimension(parse(f"{key}=1,2")).values == [1, 2]


# Grids


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("range(1,5)", [1, 2, 3, 4]),
        ("range(10,0,-3)", [1, 4, 7, 10]),
        ("int(interval(1,5))", [1, 2, 3, 4, 5]),
        ("range(1,2,0.25)", [1.0, 1.25, 1.5, 1.75]),
        ("b,a", ["b", "a"]),
    ],
)
def test_a_grid_lists_the_values(text: str, values: list[Any]) -> None:
    assert read(text).values == values


@pytest.mark.parametrize("text", ["interval(1,5)", "tag(log,interval(1,5))", "tag(log,int(interval(1,5)))"])
def test_a_grid_refuses_what_has_no_end(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _ = read(text).values
    assert str(caught.value) == ENDLESS.format(f"a={text}")


# Options by a pattern


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("model=glob(r*)", ("rf", "ridge")),
        ("model=glob([r*,d*],exclude=rf)", ("dummy", "ridge")),
        ("split=glob(*kfold)", ("grouped_kfold", "kfold", "stratified_kfold")),
    ],
)
def test_a_glob_takes_the_options_of_its_group(text: str, options: tuple[str, ...]) -> None:
    with initialize_config_dir(str(PROJECT / "conf"), version_base="1.3"):
        found = dimension(parse(text, GlobalHydra.instance().config_loader()))
    assert found.distribution == CategoricalDistribution(options)


def test_a_glob_quotes_an_option_that_reads_as_a_number() -> None:
    with initialize_config_dir(str(PROJECT / "conf"), version_base="1.3"):
        found = dimension(parse("split=glob(*0*)", GlobalHydra.instance().config_loader()))
    assert found.values == ["'70_15_15'", "'80_20'"]


def test_a_glob_that_finds_nothing_is_refused() -> None:
    with initialize_config_dir(str(PROJECT / "conf"), version_base="1.3"):  # noqa: SIM117
        with pytest.raises(ConfigError) as caught:
            dimension(parse("model=glob(zz*)", GlobalHydra.instance().config_loader()))
    assert str(caught.value) == "model=glob(zz*) is no range: it has no values."


# Zipped


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        pytest.param("zip(a=choice(1,2),b=choice(x,y))", [("a=1", "b=x"), ("a=2", "b=y")], id="choices"),
        pytest.param("zip( a=choice(1,2) , b=choice(3,4) )", [("a=1", "b=3"), ("a=2", "b=4")], id="spaces"),
        pytest.param("zip(a=range(1,3),b=range(9,7,-1))", [("a=1", "b=9"), ("a=2", "b=8")], id="ranges"),
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
        pytest.param("zip(a=choice(1,2),b=choice(1,1))", [("a=1", "b=1"), ("a=2", "b=1")], id="repeated"),
        pytest.param("zip(a=choice(1,1),b=choice(2,2))", [("a=1", "b=2")], id="the-same-row-twice"),
    ],
)
def test_zipped_keys_change_together(text: str, rows: list[tuple[str, ...]]) -> None:
    found = zipped(f"size={text}")
    assert found is not None
    assert (found.name, found.key, found.told, found.model) == ("size", "size", text, None)
    assert [found.overrides(value) for value in found.values] == rows
    assert found.values == [",".join(row) for row in rows]


@pytest.mark.parametrize("text", ["a=choice(1,2)", "zip=1,2", "a=zippy(b)", "zip(a=choice(1,2),b=choice(1,2))"])
def test_what_is_no_zip_is_left_to_hydra(text: str) -> None:
    assert zipped(text) is None


@pytest.mark.parametrize(
    ("inside", "told"),
    [
        ("a=choice(1,2),b=choice(3)", "its keys have 2, 1 values; give each the same number."),
        ("a=choice(1),b=choice(3,4),c=range(0,3)", "its keys have 1, 2, 3 values; give each the same number."),
        ("a=choice(1,2),b=3", "'b=3' is no list of values; write s=zip(a=choice(1,2),b=choice(3,4))."),
        (
            "a=interval(0,1),b=3",
            "'a=interval(0,1)' is no list of values; write s=zip(a=choice(1,2),b=choice(3,4)).",
        ),
        ("a=choice(1,2)", "it names fewer than two keys; write s=zip(a=choice(1,2),b=choice(3,4))."),
        ("", "it names fewer than two keys; write s=zip(a=choice(1,2),b=choice(3,4))."),
    ],
    ids=["unequal", "three-unequal", "no-range", "interval", "one-key", "nothing"],
)
def test_what_cannot_be_zipped_is_refused(inside: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        zipped(f"s=zip({inside})")
    assert str(caught.value) == f"s=zip({inside}): {told}"


def test_a_part_of_a_zip_that_hydra_does_not_read_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        zipped("s=zip(a=1,2,b=3,4)")
    assert str(caught.value) == NO_OVERRIDE.format("2", reason="")


def test_a_range_of_tenths_is_zipped_without_its_stop() -> None:
    found = zipped("s=zip(a=range(0.0,0.4,0.1),b=choice(1,2,3,4))")
    assert found is not None
    assert found.values == ["a=0.0,b=1", "a=0.1,b=2", "a=0.2,b=3", "a=0.3,b=4"]


def test_what_has_no_values_is_not_zipped() -> None:
    with pytest.raises(ConfigError, match=r"a=range\(1,1\) is no range: it has no values\.$"):
        zipped("s=zip(a=range(1,1),b=range(1,1))")


def test_a_seed_is_not_zipped_either() -> None:
    with pytest.raises(ConfigError, match="a seed is not searched"):
        zipped("s=zip(seed=choice(1,2),a=choice(1,2))")


# Commas


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("a=1", ["a=1"]),
        ("a=1,b=2", ["a=1", "b=2"]),
        (" a=1 , b=2 ", ["a=1", "b=2"]),
        ("a=[1,2],b={x:1,y:(2,3)}", ["a=[1,2]", "b={x:1,y:(2,3)}"]),
        ("a='1,2',b=\"3,4\"", ["a='1,2'", 'b="3,4"']),
        ("a='(',b=2", ["a='('", "b=2"]),
        ("a='it\"s,x',b=2", ["a='it\"s,x'", "b=2"]),
        ("a=1,", ["a=1"]),
        ("a='it\\'s,x',b=2", ["a='it\\'s,x'", "b=2"]),
        ("a='\\\\',b=2", ["a='\\\\'", "b=2"]),
        ("a=x\\,y,b=2", ["a=x\\,y", "b=2"]),
    ],
)
def test_commas_inside_of_brackets_and_quotes_do_not_split(text: str, parts: list[str]) -> None:
    assert split(text) == parts

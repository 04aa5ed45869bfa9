"""The overrides between two compositions: a line that was found, run, composes exactly the other one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as some

from mlrunner.composition.compose import ConfigComposer, open_composer
from mlrunner.core.errors import ConfigError
from mlrunner.history.diff.overrides import diff_overrides, edit_overrides, run_overrides
from mlrunner.history.diff.structure import equal_values
from mlrunner.history.diff.value_overrides import find_value_overrides as settings_of
from mlrunner.history.diff.value_overrides import without_ignored
from mlrunner.tracking.records.snapshot import Snapshot

CHOICES = {
    "model": ["ridge", "rf", "xgboost", "logistic_regression", "custom", "dummy"],
    "split": ["'80_20'", "'70_15_15'", "kfold", "grouped"],
    "cleaning": ["preprocess", "none", "full", "dates"],
    "dataset": ["olist", "diabetes", "wine", "csv"],
    "features@model.features": ["linear", "trees", "native"],
    "gate": ["none", "min_accuracy", "all_of"],
    "deployer": ["none", "local"],
    "experiment": ["five_stars", "delivery_promise", "course_original"],
}
VALUES = [
    "seed=7",
    "seed=12",
    "threads=2",
    "blueprint=true",
    "objective.metric=rmse",
    "tracking.name='a b'",
    "+tracking.tags.team=a",
    "+tracking.tags.team=b",
    "tracking.plots=false",
    "model.features.low_cardinality=3",
    "+model.features.note=x",
    "split.seed=5",
    "dataset.ignore=[a,b]",
    "dataset.ignore=[b,c]",
    "dataset.task=classification",
    "dataset.name='it\\'s'",
    "dataset.note='\\${x} ü \\\\'",
    "dataset.name='007'",
    "objective.default.regression=[{a:1,b:null},'']",
    "+dataset.dtypes={a.b:str,1:int,c:{d.e:1}}",
    "+dataset.dtypes={a.b:int,c:{d.e:2}}",
    "~dataset.name",
    "~split",
    "+model@second=ridge",
    "+dataset.dtypes.price=float",
    "+dataset.dtypes={price:str,city:category}",
    "~model.search",
]
LINES = some.tuples(
    some.dictionaries(some.sampled_from(list(CHOICES)), some.integers(0, 10), max_size=4),
    some.lists(some.sampled_from(VALUES), max_size=4, unique_by=lambda text: text.partition("=")[0].lstrip("+~")),
).map(lambda drawn: [*(f"{key}={CHOICES[key][at % len(CHOICES[key])]}" for key, at in drawn[0].items()), *drawn[1]])

FEW: dict[str, Any] = {  # a composition takes a tenth of a second, so a failure is not made smaller
    "deadline": None,
    "phases": [Phase.explicit, Phase.reuse, Phase.generate],
    "suppress_health_check": [HealthCheck.function_scoped_fixture],
}


def is_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Tell whether two compositions are the same, but for folders and what is printed."""
    return equal_values(without_ignored(one), without_ignored(other))


@pytest.fixture(scope="module")
def hydra() -> Iterator[ConfigComposer]:
    with open_composer() as found:
        yield found


def drawn(hydra: ConfigComposer, overrides: list[str]) -> Snapshot:
    """Compose what was drawn, and draw again where one override forbids another."""
    try:
        return hydra.compose(overrides)
    except ConfigError:
        reject()


@settings(max_examples=15, **FEW)
@given(first=LINES, second=LINES)
def test_the_line_composes_the_other_composition_exactly(
    first: list[str], second: list[str], hydra: ConfigComposer
) -> None:
    one, two = drawn(hydra, first), drawn(hydra, second)
    found = diff_overrides(hydra, one, two)
    assert found.is_exact
    whole = hydra.compose(found.command)
    changed = hydra.compose(edit_overrides(run_overrides(one.overrides), found.change))
    assert two.raw is not None
    for composed in (whole, changed):
        assert composed.raw is not None
        assert is_same(composed.raw, two.raw)
        assert is_same(composed.config, two.config)
        assert composed.choices == two.choices


@settings(max_examples=6, **FEW)
@given(second=LINES)
def test_no_override_can_be_left_out(second: list[str], hydra: ConfigComposer) -> None:
    two = drawn(hydra, second)
    found = diff_overrides(hydra, hydra.compose([]), two)
    for place in range(len(found.command)):
        less = [text for at, text in enumerate(found.command) if at != place]
        try:
            composed = hydra.compose(less)
        except ConfigError:  # what is left needs what was left out
            continue
        assert composed.choices != two.choices or not is_same(composed.raw or {}, two.raw or {})


@pytest.mark.parametrize(
    ("first", "second", "change"),
    [
        ([], ["model=rf", "seed=3"], ("model=rf", "seed=3")),
        (["model=rf", "model.estimator.max_depth=4"], ["model=xgboost"], ("model=xgboost",)),
        (["+dataset.dtypes.price=float"], [], ("~dataset.dtypes.price",)),
        (["model=ridge", "features@model.features=trees"], ["model=ridge"], ("features@model.features=linear",)),
        ([], ["+model@second=ridge"], ("+model@second=ridge",)),
        (["+model@second=ridge"], ["+model@second=rf"], ("model@second=rf",)),
        (["+model@second=ridge"], [], ("~model@second",)),
        (["~stack"], [], ("stack=local",)),
        ([], ["~stack"], ("~stack",)),
        ([], ["split='70_15_15'"], ("split=70_15_15",)),
        (["+dataset.dtypes={x:str,a.b:str}"], ["+dataset.dtypes={x:str,a.b:int}"], ("+dataset.dtypes={a.b:int}",)),
        ([], ["experiment=five_stars"], ("experiment=five_stars",)),
        (["experiment=five_stars"], [], ("~experiment",)),
        (["seed=1"], ["seed=1"], ()),
        (["sweep=optuna", "model=rf"], ["model=rf", "output=json"], ()),
    ],
)
def test_the_change_is_as_short_as_can_be(
    first: list[str], second: list[str], change: tuple[str, ...], hydra: ConfigComposer
) -> None:
    assert diff_overrides(hydra, hydra.compose(first), hydra.compose(second)).change == change


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        (["seed=1", "model=rf"], ["seed=2"], ["model=rf", "seed=2"]),
        (["model=rf", "model.estimator.max_depth=3"], ["model=ridge"], ["model=ridge"]),
        (["+a.b=1"], ["~a.b"], []),
        (["+a.b=1", "+a={b:2}"], ["~a.b"], ["+a.b=1", "+a={b:2}", "~a.b"]),
        (["+a.b=1"], ["a.b=2"], ["+a.b=2"]),
        (["~a.b"], ["+a.b=2"], ["a.b=2"]),
        (["model.name=x"], ["~model.search"], ["model.name=x", "~model.search"]),
        (["+a={b.c:1,x:1}"], ["+a={b.c:2}"], ["+a={b.c:1,x:1}", "+a={b.c:2}"]),
    ],
)
def test_newer_overrides_stand_in_the_place_of_older_ones(
    before: list[str], change: list[str], after: list[str]
) -> None:
    assert edit_overrides(before, change) == after


TEXTS = [
    "",
    " a ",
    "null",
    "True",
    "-1",
    "1e5",
    "007",
    "nan",
    "it's",
    "'",
    '"',
    "\\'",
    "a\\",
    "\\\\",
    "a\nb",
    "a\tb",
    "ü",
    "日本",
]
TEXTS += [
    "a=b,c",
    "[a]",
    "{a:1}",
    "choice(1,2)",
    "${seed}",
    "\\${x}",
    "???",
    "~x",
    "#x",
    "2020-01-01",
    "!x",
    "a: b",
    "$(x)",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("holder", [lambda text: text, lambda text: [{"a": text}, text], lambda text: {"a.b": text}])
def test_any_text_is_set_as_it_is(text: str, holder: Any, hydra: ConfigComposer) -> None:
    now, goal = ({"dataset": {"x": one}} for one in (0, holder(text)))
    assert equal_values(hydra.set(now, settings_of(hydra, now, goal)[0]), goal)


@pytest.mark.parametrize(
    ("now", "goal", "overrides"),
    [
        ({"a": 1}, {"a": "1"}, ["dataset.x.a='1'"]),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, ["dataset.x.a=[1,{b:3}]"]),
        ({"a": 1}, {"a": {"b": 1}}, ["dataset.x.a={b:1}"]),
        ({"a": {"b": 1}}, {"a": [1]}, ["~dataset.x.a", "+dataset.x.a=[1]"]),
        ({"a": [1]}, {"a": {"b": 1}}, ["~dataset.x.a", "+dataset.x.a={b:1}"]),
        ({"a": None}, {}, ["dataset.x.a=0", "~dataset.x.a"]),
        ({}, {"a.b": 1}, ["+dataset.x={a.b:1}"]),
        ({"a.b": 1}, {"a.b": 2}, ["+dataset.x={a.b:2}"]),
        ({"a.b": {"c": 1}}, {"a.b": {"c": 2}}, ["+dataset.x={a.b:{c:2}}"]),
        ({"a.b": 1, "c": 2}, {"c": 2}, ["~dataset.x", "+dataset.x={c:2}"]),
        ({0: 1.0}, {0: 1.0, 1: 5.0}, ["+dataset.x={1:5.0}"]),
        ({0: 1.0}, {0: 2.0}, ["+dataset.x={0:2.0}"]),
        ({"0": 1.0}, {"0": 2.0}, ["dataset.x.0=2.0"]),
    ],
)
def test_any_key_is_set_as_it_is(now: Any, goal: Any, overrides: list[str], hydra: ConfigComposer) -> None:
    """A key that cannot stand on the left of an override is set from inside of what holds it."""
    here, there = ({"dataset": {"x": one}} for one in (now, goal))
    assert settings_of(hydra, here, there) == (overrides, there)
    assert equal_values(hydra.set(here, overrides), there)


def test_what_is_below_a_choice_made_anew_is_left_out_and_said(hydra: ConfigComposer) -> None:
    typed = ["model=rf", "model.estimator.max_depth=4", "seed=1"]
    found = diff_overrides(hydra, hydra.compose(typed), hydra.compose(["model=ridge", "seed=2"]))
    assert (found.change, found.without) == (("model=ridge", "seed=2"), ("model.estimator.max_depth=4",))


def test_a_first_side_that_composes_no_more_leaves_the_second_its_command(hydra: ConfigComposer) -> None:
    first = Snapshot({}, {"seed": 1}, {"model": "rf"}, ("model=rf", "gone.key=1"))
    found = diff_overrides(hydra, first, hydra.compose(["seed=3"]))
    assert (found.change, found.command, found.is_exact) == ((), ("seed=3",), True)
    assert "gone" in str(found.change_problem)


def test_what_no_override_can_write_is_named(hydra: ConfigComposer) -> None:
    from dataclasses import replace

    plain = hydra.compose([])
    assert plain.raw is not None
    dataset = {**plain.raw["dataset"], "dtypes": {"größe": "float"}}
    found = diff_overrides(hydra, plain, replace(plain, raw={**plain.raw, "dataset": dataset}))
    assert not found.is_exact
    assert found.beyond == ("dataset.dtypes.größe",)


def test_what_the_first_line_did_and_no_override_undoes_is_named(hydra: ConfigComposer) -> None:
    found = diff_overrides(hydra, hydra.compose(["+dataset={two words:1}"]), hydra.compose([]))
    assert (found.is_exact, found.change_beyond) == (True, ("dataset.two words",))


@pytest.mark.parametrize("name", ["ü", "it's", "a=b", "a,b (c)", "a[b]{c}", "a b", "a\\", "a%20b", "true"])
def test_a_folder_of_any_name_composes(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "mine.yaml").write_text("defaults: [ridge]\nname: mine\n")
    with open_composer([str(folder)]) as found:
        assert found.compose(["model=mine"]).config["model"]["name"] == "mine"

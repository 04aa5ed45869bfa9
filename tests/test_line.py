"""The overrides between two compositions: a line that was found, run, composes exactly the other one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as some

from mlrunner.comparison.line import alone, edited, line, told
from mlrunner.comparison.structure import same
from mlrunner.composition.composing import Composing, composing
from mlrunner.errors import ConfigError
from mlrunner.records.frozen import Frozen

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
    return same(told(one), told(other))


@pytest.fixture(scope="module")
def hydra() -> Iterator[Composing]:
    with composing() as found:
        yield found


def drawn(hydra: Composing, overrides: list[str]) -> Frozen:
    """Compose what was drawn, and draw again where one override forbids another."""
    try:
        return hydra.compose(overrides)
    except ConfigError:
        reject()


@settings(max_examples=25, **FEW)
@given(first=LINES, second=LINES)
def test_the_line_composes_the_other_composition_exactly(first: list[str], second: list[str], hydra: Composing) -> None:
    one, two = drawn(hydra, first), drawn(hydra, second)
    found = line(hydra, one, two)
    assert found.is_exact
    whole = hydra.compose(found.command)
    changed = hydra.compose(edited(alone(one.overrides), found.change))
    assert two.raw is not None
    for composed in (whole, changed):
        assert composed.raw is not None
        assert is_same(composed.raw, two.raw)
        assert is_same(composed.config, two.config)
        assert composed.choices == two.choices


@settings(max_examples=8, **FEW)
@given(second=LINES)
def test_no_override_can_be_left_out(second: list[str], hydra: Composing) -> None:
    two = drawn(hydra, second)
    found = line(hydra, hydra.compose([]), two)
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
        ([], ["experiment=five_stars"], ("experiment=five_stars",)),
        (["experiment=five_stars"], [], ("~experiment",)),
        (["seed=1"], ["seed=1"], ()),
        (["sweep=optuna", "model=rf"], ["model=rf", "output=json"], ()),
    ],
)
def test_the_change_is_as_short_as_can_be(
    first: list[str], second: list[str], change: tuple[str, ...], hydra: Composing
) -> None:
    assert line(hydra, hydra.compose(first), hydra.compose(second)).change == change


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
    ],
)
def test_newer_overrides_stand_in_the_place_of_older_ones(
    before: list[str], change: list[str], after: list[str]
) -> None:
    assert edited(before, change) == after


def test_what_no_override_can_write_is_named(hydra: Composing) -> None:
    from dataclasses import replace

    plain = hydra.compose([])
    assert plain.raw is not None
    dataset = {**plain.raw["dataset"], "dtypes": {"two words": "float"}}
    found = line(hydra, plain, replace(plain, raw={**plain.raw, "dataset": dataset}))
    assert not found.is_exact
    assert found.beyond == ("dataset.dtypes.two words",)


def test_what_the_first_line_did_and_no_override_undoes_is_named(hydra: Composing) -> None:
    found = line(hydra, hydra.compose(["+dataset.dtypes={two words:float}"]), hydra.compose([]))
    assert (found.is_exact, found.change_beyond) == (True, ("dataset.dtypes.two words",))


@pytest.mark.parametrize("name", ["ü", "it's", "a=b", "a,b (c)", "a[b]{c}", "a b", "a\\", "a%20b", "true"])
def test_a_folder_of_any_name_composes(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "mine.yaml").write_text("defaults: [ridge]\nname: mine\n")
    with composing([str(folder)]) as found:
        assert found.compose(["model=mine"]).config["model"]["name"] == "mine"

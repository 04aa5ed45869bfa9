"""The overrides between two compositions compose exactly the other one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as some

from mlrunner.composition.compose import ConfigComposer, open_composer
from mlrunner.core.errors import ConfigError
from mlrunner.history.diff.overrides import diff_overrides, edit_overrides, run_overrides
from mlrunner.history.diff.structure import equal_values
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
    "seed=7", "seed=12", "threads=2", "blueprint=true", "objective.metric=rmse", "tracking.name='a b'",
    "+tracking.tags.team=a", "+tracking.tags.team=b", "tracking.plots=false", "model.features.low_cardinality=3",
    "+model.features.note=x", "split.seed=5", "dataset.ignore=[a,b]", "dataset.ignore=[b,c]",
    "dataset.task=classification", "dataset.name='it\\'s'", "dataset.note='\\${x} ü \\\\'", "dataset.name='007'",
    "objective.default.regression=[{a:1,b:null},'']", "+dataset.dtypes={a.b:str,1:int,c:{d.e:1}}",
    "+dataset.dtypes={a.b:int,c:{d.e:2}}", "~dataset.name", "~split", "+model@second=ridge",
    "+dataset.dtypes.price=float", "+dataset.dtypes={price:str,city:category}", "~model.search",
]  # fmt: skip


LINES = some.tuples(
    some.dictionaries(some.sampled_from(list(CHOICES)), some.integers(0, 10), max_size=4),
    some.lists(some.sampled_from(VALUES), max_size=4, unique_by=lambda text: text.partition("=")[0].lstrip("+~")),
).map(lambda sample: [*(f"{key}={CHOICES[key][at % len(CHOICES[key])]}" for key, at in sample[0].items()), *sample[1]])


FEW: dict[str, Any] = {  # a composition takes a tenth of a second, so a failure is not made smaller
    "deadline": None,
    "phases": [Phase.explicit, Phase.reuse, Phase.generate],
    "suppress_health_check": [HealthCheck.function_scoped_fixture],
}


def is_same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Check whether two compositions are equal, except for ignored keys."""
    return equal_values(without_ignored(first), without_ignored(second))


def compose_or_reject(hydra: ConfigComposer, overrides: list[str]) -> Snapshot:
    """Compose a sample, and draw another one if its overrides exclude each other."""
    try:
        return hydra.compose(overrides)
    except ConfigError:
        reject()


@pytest.mark.slow
@settings(max_examples=10, **FEW)
@given(first=LINES, second=LINES)
def test_overrides_compose_the_other_composition_exactly(
    first: list[str], second: list[str], hydra: ConfigComposer
) -> None:
    start, goal = compose_or_reject(hydra, first), compose_or_reject(hydra, second)
    diff = diff_overrides(hydra, start, goal)
    assert diff.is_exact
    whole = hydra.compose(diff.command)
    changed = hydra.compose(edit_overrides(run_overrides(start.overrides), diff.change))
    assert goal.raw is not None
    for composed in (whole, changed):
        assert composed.raw is not None
        assert is_same(composed.raw, goal.raw)
        assert is_same(composed.config, goal.config)
        assert composed.choices == goal.choices


@pytest.mark.slow
@settings(max_examples=4, **FEW)
@given(second=LINES)
def test_no_override_is_superfluous(second: list[str], hydra: ConfigComposer) -> None:
    goal = compose_or_reject(hydra, second)
    diff = diff_overrides(hydra, hydra.compose([]), goal)
    for place in range(len(diff.command)):
        less = [text for at, text in enumerate(diff.command) if at != place]
        try:
            composed = hydra.compose(less)
        except ConfigError:  # what is left needs what was left out
            continue
        assert composed.choices != goal.choices or not is_same(composed.raw or {}, goal.raw or {})


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
def test_change_is_short(first: list[str], second: list[str], change: tuple[str, ...], hydra: ConfigComposer) -> None:
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
def test_new_overrides_replace_old_ones(before: list[str], change: list[str], after: list[str]) -> None:
    assert edit_overrides(before, change) == after


def test_overrides_below_a_new_choice_are_removed(hydra: ConfigComposer) -> None:
    overrides = ["model=rf", "model.estimator.max_depth=4", "seed=1"]
    diff = diff_overrides(hydra, hydra.compose(overrides), hydra.compose(["model=ridge", "seed=2"]))
    assert (diff.change, diff.without) == (("model=ridge", "seed=2"), ("model.estimator.max_depth=4",))


def test_first_side_that_cannot_be_composed(hydra: ConfigComposer) -> None:
    first = Snapshot({}, {"seed": 1}, {"model": "rf"}, ("model=rf", "gone.key=1"))
    diff = diff_overrides(hydra, first, hydra.compose(["seed=3"]))
    assert (diff.change, diff.command, diff.is_exact) == ((), ("seed=3",), True)
    assert "gone" in str(diff.change_problem)


def test_key_that_no_override_can_write(hydra: ConfigComposer) -> None:
    from dataclasses import replace

    plain = hydra.compose([])
    assert plain.raw is not None
    dataset = {**plain.raw["dataset"], "dtypes": {"größe": "float"}}
    diff = diff_overrides(hydra, plain, replace(plain, raw={**plain.raw, "dataset": dataset}))
    assert not diff.is_exact
    assert diff.beyond == ("dataset.dtypes.größe",)


def test_key_that_no_override_can_undo(hydra: ConfigComposer) -> None:
    diff = diff_overrides(hydra, hydra.compose(["+dataset={two words:1}"]), hydra.compose([]))
    assert (diff.is_exact, diff.change_beyond) == (True, ("dataset.two words",))


@pytest.mark.parametrize("name", ["ü it's", "a=b,c (d)", "a[b]{c}%20d", "a\\", "true"])
def test_folder_of_any_name(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "mine.yaml").write_text("defaults: [ridge]\nname: mine\n")
    with open_composer([str(folder)]) as composer:
        assert composer.compose(["model=mine"]).config["model"]["name"] == "mine"

"""Grids, draws and descriptions of a search space."""

from __future__ import annotations

import math
from typing import Any

import optuna
import pytest

from mlrunner.search.space import Space
from tests.support.spaces import ALPHA, DEPTH, RATE, build_space, list_grid, list_names


@pytest.mark.parametrize(
    ("model", "own"),
    [("forest", ["model", f"forest:{DEPTH}", f"forest:{RATE}"]), ("mean", ["model"]), ("bare", ["model"])],
)
def test_a_model_has_its_own_dimensions_and_the_shared_ones(model: str, own: list[str]) -> None:
    assert [dimension.name for dimension in build_space("model=forest,line,mean,bare").list_dimensions(model)] == own


def draw_trials(space: Space, count: int) -> list[tuple[str, ...]]:
    """Let Optuna draw, at random."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    return [space.suggest(study.ask()) for _ in range(count)]


def test_a_trial_draws_only_the_values_of_its_model_within_their_ranges() -> None:
    space = build_space("model=forest,line,mean", "a=range(1,5)", "b=int(interval(1,5))", "c=interval(1,5)")
    keys = {"forest": {DEPTH, RATE}, "line": {ALPHA, RATE}, "mean": set()}
    seen = set()
    for overrides in draw_trials(space, 40):
        values = dict(text.split("=") for text in overrides)
        assert set(values) == {"model", "a", "b", "c"} | keys[values["model"]]
        assert (values["a"] in set("1234"), values["b"] in set("12345"), 1 <= float(values["c"]) <= 5) == (True,) * 3
        seen.add(values["model"])
    assert seen == set(keys)


@pytest.mark.parametrize("sizes", [(1, 1, 1), (1, 2, 3), (3, 3, 2)], ids=str)
def test_the_size_is_the_length_of_the_grid(sizes: tuple[int, int, int]) -> None:
    first, second, third = sizes
    space = build_space(
        f"a=range(0,{first})",
        f"model=choice({','.join(['line', 'mean', 'forest'][:second])})",
        f"{ALPHA}=range(0,{third})",
        uses_model_spaces=False,
    )
    assert space.size == len(space.grid()) == first * (third + second - 1)


@pytest.mark.parametrize(
    ("overrides", "size"),
    [
        ([], 12),
        (["model=forest,mean"], 13),
        (["model=forest,line"], math.inf),
        ([f"{DEPTH}=tag(log,interval(1,2))"], math.inf),
    ],
    ids=["ints", "and-one-without", "a-float", "a-log"],
)
def test_the_size_of_a_search(overrides: list[str], size: float) -> None:
    assert build_space(*overrides).size == size


def test_an_empty_space_has_one_combination() -> None:
    assert build_space("a=1", uses_model_spaces=False).grid() == [{}]
    assert build_space("a=1", uses_model_spaces=False).size == 1


def test_a_grid_zips_and_multiplies() -> None:
    assert list_grid("s=zip(a=choice(1,2),b=choice(3,4))", "c=x,y") == [
        ("a=1", "b=3", "c=x"),
        ("a=1", "b=3", "c=y"),
        ("a=2", "b=4", "c=x"),
        ("a=2", "b=4", "c=y"),
    ]


def test_the_models_of_a_zip_have_their_own_ranges() -> None:
    space = build_space("a=x,y", "m=zip(model=choice(line,forest,mean),b=choice(1,2,3))")
    assert list_names(space) == ["m", "a", f"line:{ALPHA}", f"line:{RATE}", f"forest:{DEPTH}", f"forest:{RATE}"]
    assert space.models == ["line", "forest", "mean"]
    assert space.get_model({"m": "model=forest,b=2"}) == "forest"
    keys = {"line": {ALPHA, RATE}, "forest": {DEPTH, RATE}, "mean": set()}
    for overrides in draw_trials(space, 30):
        values = dict(text.split("=") for text in overrides)
        assert set(values) == {"model", "a", "b"} | keys[values["model"]]


def test_a_grid_of_zipped_models_has_a_combination_for_each_row() -> None:
    overrides = ["m=zip(model=choice(line,forest,line),b=choice(1,2,3))", f"{ALPHA}=7,8"]
    assert list_grid(*overrides) == [
        ("model=line", "b=1", f"{ALPHA}=7"),
        ("model=line", "b=1", f"{ALPHA}=8"),
        ("model=forest", "b=2"),
        ("model=line", "b=3", f"{ALPHA}=7"),
        ("model=line", "b=3", f"{ALPHA}=8"),
    ]
    assert build_space(*overrides, uses_model_spaces=False).size == 5


def test_parameters_follow_the_fixed_overrides() -> None:
    space = build_space("cleaning=full", "model=forest,line", "a=null,2")
    params = {"model": "line", f"line:{RATE}": 0.25, "a": None}
    assert space.overrides(params) == ("cleaning=full", "model=line", f"{RATE}=0.25", "a=null")
    assert space.get_model(params) == "line"
    assert space.get_model({}) == "forest"


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, "model.x=0.5"), (None, "model.x=null"), ("80_20", "model.x='80_20'")]
)
def test_a_parameter_of_a_custom_search_space_is_named_by_its_key(value: Any, text: str) -> None:
    assert build_space("a=1,2", uses_model_spaces=False).overrides({"a": 1, "model.x": value}) == ("a=1", text)


def test_different_spaces_have_different_descriptions() -> None:
    description = build_space("model=forest,mean", "c=1", exclude=("model=mean,c=*",)).describe()
    assert description["fixed"] == ["c=1"]
    assert list(description["dimensions"]) == ["model", f"forest:{DEPTH}", f"forest:{RATE}"]
    assert description["exclude"] == ["model=mean,c=*"]
    assert description == build_space("model=forest,mean", "c=1", exclude=("model=mean,c=*",)).describe()
    assert description != build_space("model=forest,mean", f"{DEPTH}=range(4,6)", "c=1").describe()

"""The sources of a search space: command line over params over the ranges of the models."""

from __future__ import annotations

from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from mlrunner.core.errors import ConfigError
from mlrunner.search.optuna_config import SAMPLERS
from tests.support.search import HydraSweep
from tests.support.spaces import ALPHA, DEPTH, MODEL_GROUPS, RATE, build_space, get_distributions, list_grid, list_names


def test_the_default_model_has_its_own_ranges() -> None:
    space = build_space()
    assert get_distributions(space) == {DEPTH: IntDistribution(4, 6), RATE: IntDistribution(1, 4)}
    assert (space.fixed, space.model, space.models) == ((), "forest", ["forest"])
    assert all(dimension.model is None for dimension in space.dimensions)


def test_the_model_comes_first_and_prefixes_its_parameters() -> None:
    space = build_space("split=a,b", "cleaning=c,d", "model=forest,line")
    own = [f"forest:{DEPTH}", f"forest:{RATE}", f"line:{ALPHA}", f"line:{RATE}"]
    assert list_names(space) == ["model", "split", "cleaning", *own]
    distributions = get_distributions(space)
    assert distributions["model"] == CategoricalDistribution(["forest", "line"])
    assert distributions[f"line:{ALPHA}"] == FloatDistribution(0.1, 10, log=True)


def test_the_command_line_and_params_replace_the_range_of_a_model() -> None:
    for space in (build_space(f"{DEPTH}=2,null"), build_space(params={DEPTH: "2,null"})):
        expected = {DEPTH: CategoricalDistribution([2, None]), RATE: IntDistribution(1, 4)}
        assert get_distributions(space) == expected


@pytest.mark.parametrize("prefix", ["", "++"])
def test_a_fixed_key_leaves_the_space(prefix: str) -> None:
    space = build_space(f"{prefix}{DEPTH}=3")
    assert list_names(space) == [RATE]
    assert space.fixed == ((f"{prefix}{DEPTH}=3", ("forest",)),)
    assert space.overrides({RATE: 2}) == (f"{prefix}{DEPTH}=3", f"{RATE}=2")


def test_a_choice_of_one_value_is_fixed() -> None:
    """With several models the command line passes `model.X=3` as a choice, which would be a constant of the study."""
    space = build_space("model=forest,line", f"{DEPTH}=choice(3)")
    assert f"forest:{DEPTH}" not in list_names(space)
    assert space.fixed == ((f"{DEPTH}=3", ("forest",)),)
    seeded = {**MODEL_GROUPS, "forest": {"estimator": {"random_state": 0}, "search": {}}}
    space = build_space("model=forest,line", "model.estimator.random_state=choice(7)", groups=seeded)  # no search
    assert space.fixed == (("model.estimator.random_state=7", ("forest",)),)


def test_the_command_line_wins_over_params() -> None:
    params = {"a": "range(1,5)", "b": "1,2", "c": "3", "d": "1,2"}
    space = build_space("a=range(1,3)", "b=7", "c=8,9", params=params, uses_model_spaces=False)
    assert get_distributions(space) == {
        "d": CategoricalDistribution([1, 2]),
        "a": IntDistribution(1, 2),
        "c": CategoricalDistribution([8, 9]),
    }
    assert space.fixed == (("b=7", None),)


@pytest.mark.parametrize(
    ("overrides", "params", "expected"),
    [
        pytest.param(["a=1", "a=2"], {}, [("a=2",)], id="fixed-twice"),
        pytest.param(["a=1,2", "a=3"], {}, [("a=3",)], id="fixed-last"),
        pytest.param(["a=3", "a=1,2"], {}, [("a=1",), ("a=2",)], id="ranged-last"),
        pytest.param(["s=zip(a=choice(1,2),b=choice(3,4))"] * 2, {}, [("a=1", "b=3"), ("a=2", "b=4")], id="zip-twice"),
        pytest.param(["++a=3"], {"a": "1,2"}, [("++a=3",)], id="forced"),
        pytest.param(["f@m.f=t"], {"f@m.f": "t,l"}, [("f@m.f=t",)], id="fixed-packaged-group"),
        pytest.param(["a=3", "b=4"], {"s": "zip(a=choice(1,2),b=choice(x,y))"}, [("a=3", "b=4")], id="fixed-whole-zip"),
        pytest.param(
            ["+a=7,8"], {"s": "zip(+a=choice(1,2),b=choice(x,x))"}, [("b=x", "+a=7"), ("b=x", "+a=8")], id="ranged-part"
        ),
    ],
)
def test_the_last_override_of_a_key_counts(
    overrides: list[str], params: dict[str, Any], expected: list[tuple[str, ...]]
) -> None:
    assert list_grid(*overrides, params=params) == expected


def test_another_form_of_the_key_replaces_the_models_own_range() -> None:
    assert sorted(list_names(build_space(f"++{DEPTH}=1,2"))) == [f"++{DEPTH}", RATE]
    assert list_names(build_space(f"s=zip({DEPTH}=choice(1,2),b=choice(3,4))")) == ["s", RATE]


def test_a_model_without_its_search_has_no_range() -> None:
    space = build_space("model=forest,line", "~model.search", f"{DEPTH}=1,2")
    assert list_names(space) == ["model", f"forest:{DEPTH}"]
    assert space.list_fixed("line") == ("~model.search",)


def test_a_grid_leaves_out_the_ranges_of_the_models() -> None:
    assert list_grid("model=forest,line", f"{ALPHA}=1,2") == [
        ("model=forest",),
        ("model=line", f"{ALPHA}=1"),
        ("model=line", f"{ALPHA}=2"),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("choice(1,2)", "a=1", id="text"),
        pytest.param(True, "a=True", id="truth"),
        pytest.param([1, 2], "a=[1,2]", id="list"),
        pytest.param(None, "a=null", id="null"),
        pytest.param({"x": 1}, "a={x:1}", id="dict"),
    ],
)
def test_params_take_any_yaml_value(value: Any, text: str) -> None:
    assert list_grid(params={"a": value})[0] == (text,)


def test_a_fixed_or_deleted_key_applies_to_the_models_that_have_it() -> None:
    space = build_space("model=forest,line,mean", "cleaning=full", f"{RATE}=3", f"{ALPHA}=2", f"~{DEPTH}")
    assert space.list_fixed("forest") == ("cleaning=full", f"{RATE}=3", f"~{DEPTH}")
    assert space.list_fixed("line") == ("cleaning=full", f"{RATE}=3", f"{ALPHA}=2")
    assert space.list_fixed("mean") == ("cleaning=full",)
    assert list_names(space) == ["model"]


@pytest.mark.parametrize("text", ["model.estimator.dept=3", "+model.estimator.new=3"])
def test_a_fixed_key_that_no_model_has_is_left_to_hydra(text: str) -> None:
    assert build_space("model=forest,line", text).fixed == ((text, None),)


def test_a_range_applies_to_the_models_that_have_its_key() -> None:
    space = build_space("model=forest,line,mean", f"{RATE}=7,8", uses_model_spaces=False)
    assert list_names(space) == ["model", f"forest:{RATE}", f"line:{RATE}"]


def test_a_range_of_an_added_key_applies_to_all_models() -> None:
    space = build_space("model=forest,mean", "+model.estimator.new=7,8", uses_model_spaces=False)
    assert [dimension.model for dimension in space.dimensions] == [None, None]
    assert space.size == 4


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (
            ["model=forest,line", "model.estimator.dept=1,2"],
            "model.estimator.dept=1,2: model.estimator.dept is not a key of forest or line; correct it, or add it with "
            "+model.estimator.dept.",
        ),
        (
            ["model=forest,line", "model.estimator.dept=choice(1)"],
            "model.estimator.dept=1: model.estimator.dept is not a key of forest or line; correct it, or add it with "
            "+model.estimator.dept.",
        ),
        (
            [f"{DEPTH}.deeper=1,2"],
            f"{DEPTH}.deeper=1,2: {DEPTH}.deeper is not a key of forest; correct it, or add it with +{DEPTH}.deeper.",
        ),
    ],
    ids=["misspelt", "misspelt and fixed", "below-a-value"],
)
def test_a_range_of_an_unknown_key_is_refused(overrides: list[str], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build_space(*overrides)
    assert str(caught.value) == sentence


def test_a_seed_in_params_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^seed=range\(0,5\): a search over seeds"):
        build_space(params={"seed": "range(0,5)"})


# Models of the project, composed by Hydra


def test_real_models_have_their_own_ranges(diabetes_sweep: HydraSweep) -> None:
    space = diabetes_sweep.read_space("model=glob(r*)", "split='80_20',kfold")
    alpha = "model.estimator.alpha"
    assert space.models == ["rf", "ridge"]
    assert {"model", "split", f"ridge:{alpha}", "ridge:model.features.low_cardinality"} <= set(list_names(space))
    assert get_distributions(space)["rf:model.estimator.max_depth"] == CategoricalDistribution((None, 4, 8, 16, 32))
    assert space.fixed == (("sweep=optuna", None), ("dataset=diabetes", None))


@pytest.mark.parametrize(
    ("overrides", "params", "model"),
    [
        pytest.param(["experiment=five_stars"], {}, "rf", id="experiment"),
        pytest.param([], {"model": "ridge"}, "ridge", id="params"),
        pytest.param(["model=rf"], {"model": "ridge"}, "rf", id="command-line-over-params"),
    ],
)
def test_the_model_is_that_of_the_strongest_source(
    diabetes_sweep: HydraSweep, overrides: list[str], params: dict[str, Any], model: str
) -> None:
    assert diabetes_sweep.read_space(*overrides, params=params).model == model


def test_an_option_of_params_that_reads_as_a_number_is_quoted(diabetes_sweep: HydraSweep) -> None:
    params = {"split": "choice(80_20,kfold)", "s": "zip(gate=choice(1_2,b),c=choice(1,2))"}
    distributions = get_distributions(diabetes_sweep.read_space(params=params))
    assert distributions["split"] == CategoricalDistribution(["'80_20'", "kfold"])
    assert distributions["s"] == CategoricalDistribution(["gate='1_2',c=1", "gate=b,c=2"])


def test_an_option_of_params_that_is_a_number_is_refused(diabetes_sweep: HydraSweep) -> None:
    with pytest.raises(ConfigError, match=r"^split=8020 names no option but a number; put it in quotes"):
        diabetes_sweep.read_space(params={"split": 8020})


def test_a_preset_may_set_params_and_exclusions(diabetes_sweep: HydraSweep) -> None:
    params = {"model": "ridge,rf", "cleaning": "full,none", "model.estimator.alpha": "choice(1,2)"}
    space = diabetes_sweep.read_space(
        "cleaning=none", sampler=SAMPLERS["grid"](), params=params, exclude=["model=ridge,model.estimator.alpha=2"]
    )
    assert [space.overrides(params)[2:] for params in space.grid()] == [
        ("cleaning=none", "model=ridge", "model.estimator.alpha=1"),
        ("cleaning=none", "model=rf"),
    ]

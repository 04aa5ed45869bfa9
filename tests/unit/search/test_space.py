"""What a search varies: models' own ranges below `hydra.sweeper.params`, below the command line; what it leaves out."""

from __future__ import annotations

import copy
import functools
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import optuna
import pytest
from hydra import initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig, open_dict
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from mlrunner.cli.hydra_app import register_sweeper
from mlrunner.core.errors import ConfigError
from mlrunner.search import entry, settings, space_reader
from mlrunner.search.composer import Composer
from mlrunner.search.space import Space, exclusions
from tests.support.front_door import PROJECT

MODELS: dict[str, dict[str, Any]] = {
    "forest": {
        "estimator": {"trees": 1, "depth": 2, "rate": 0},
        "search": {"estimator.depth": "int(interval(4,6))", "estimator.rate": "range(1,5)"},
    },
    "line": {
        "estimator": {"alpha": 1, "rate": 0, "nested": {"deep": 1}},
        "search": {"estimator.alpha": "tag(log,interval(0.1,10))", "estimator.rate": "interval(0,1)"},
    },
    "mean": {"estimator": {}, "search": {}},
    "bare": {"estimator": {}, "search": None},
}
DEPTH, RATE, ALPHA = "model.estimator.depth", "model.estimator.rate", "model.estimator.alpha"


def read(
    *typed: str, params: dict[str, Any] | None = None, searched: bool = True, exclude: tuple[str, ...] = ()
) -> Space:
    """Read a space over the models above, of which forest is the default."""
    return space_reader.read(
        list(typed),
        params or {},
        lambda _, options: {name: MODELS[name] for name in options or ["forest"]},
        searched=searched,
        loader=None,
        exclude=list(exclude),
    )


def grid(*typed: str, **more: Any) -> list[tuple[str, ...]]:
    """Write all combinations of a grid."""
    found = read(*typed, searched=False, **more)
    return [found.overrides(params) for params in found.grid()]


def names(found: Space) -> list[str]:
    return [one.name for one in found.dimensions]


def ranges(found: Space) -> dict[str, Any]:
    return {one.name: one.distribution for one in found.dimensions}


# Each model its own


def test_the_default_model_has_its_own_ranges() -> None:
    found = read()
    assert ranges(found) == {DEPTH: IntDistribution(4, 6), RATE: IntDistribution(1, 4)}
    assert (found.fixed, found.model, found.models) == ((), "forest", ["forest"])
    assert all(one.model is None for one in found.dimensions)


def test_several_models_name_the_keys_that_they_share_apart() -> None:
    assert ranges(read("model=forest,line")) == {
        "model": CategoricalDistribution(["forest", "line"]),
        f"forest:{DEPTH}": IntDistribution(4, 6),
        f"forest:{RATE}": IntDistribution(1, 4),
        f"line:{ALPHA}": FloatDistribution(0.1, 10, log=True),
        f"line:{RATE}": FloatDistribution(0, 1),
    }


@pytest.mark.parametrize(
    ("model", "own"),
    [("forest", ["model", f"forest:{DEPTH}", f"forest:{RATE}"]), ("mean", ["model"]), ("bare", ["model"])],
)
def test_a_model_has_its_own_dimensions_and_the_shared(model: str, own: list[str]) -> None:
    assert [one.name for one in read("model=forest,line,mean,bare").of(model)] == own


def test_a_trial_draws_the_values_of_its_model_only() -> None:
    found = read("cleaning=full,none", "model=forest,line,mean")
    keys = {
        "forest": {"cleaning", "model", DEPTH, RATE},
        "line": {"cleaning", "model", ALPHA, RATE},
        "mean": {"cleaning", "model"},
    }
    seen = set()
    for overrides in drawn(found, 30):
        told = dict(text.split("=") for text in overrides)
        assert set(told) == keys[told["model"]]
        seen.add(told["model"])
    assert seen == set(keys)


def drawn(found: Space, count: int) -> list[tuple[str, ...]]:
    """Let Optuna draw, at random."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    return [found.suggest(study.ask()) for _ in range(count)]


def test_a_draw_is_within_its_range_and_written_by_its_key() -> None:
    for overrides in drawn(read("model=forest,line", "a=range(1,5)", "b=int(interval(1,5))", "c=interval(1,5)"), 40):
        told = dict(text.split("=") for text in overrides)
        assert told["a"] in {"1", "2", "3", "4"}
        assert told["b"] in {"1", "2", "3", "4", "5"}
        assert 1 <= float(told["c"]) <= 5
        assert 1 <= int(told[RATE]) <= 4 if told["model"] == "forest" else 0 <= float(told[RATE]) <= 1


def test_the_model_is_drawn_first_and_the_rest_as_typed() -> None:
    assert names(read("split=a,b", "cleaning=c,d", "model=mean,bare")) == ["model", "split", "cleaning"]


# The command line over params over search:


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("int(interval(5,6))", IntDistribution(5, 6), id="narrows"),
        pytest.param("int(interval(1,99))", IntDistribution(1, 99), id="widens"),
        pytest.param("interval(1,9)", FloatDistribution(1, 9), id="another-type"),
        pytest.param("2,null", CategoricalDistribution([2, None]), id="choices"),
    ],
)
def test_the_command_line_and_params_change_a_models_range(text: str, expected: Any) -> None:
    typed, told = read(f"{DEPTH}={text}"), read(params={DEPTH: text})
    assert ranges(typed) == ranges(told) == {DEPTH: expected, RATE: IntDistribution(1, 4)}


@pytest.mark.parametrize("prefix", ["", "++"])
def test_what_is_fixed_leaves_the_space(prefix: str) -> None:
    found = read(f"{prefix}{DEPTH}=3")
    assert names(found) == [RATE]
    assert found.fixed == ((f"{prefix}{DEPTH}=3", ("forest",)),)
    assert found.overrides({RATE: 2}) == (f"{prefix}{DEPTH}=3", f"{RATE}=2")


def test_params_are_below_the_command_line_in_order() -> None:
    params = {"a": "range(1,5)", "b": "1,2", "c": "3", "d": "1,2"}
    found = read("a=range(1,3)", "b=7", "c=8,9", params=params, searched=False)
    assert ranges(found) == {
        "d": CategoricalDistribution([1, 2]),
        "a": IntDistribution(1, 2),
        "c": CategoricalDistribution([8, 9]),
    }
    assert found.fixed == (("b=7", None),)


@pytest.mark.parametrize(
    ("typed", "params", "expected"),
    [
        pytest.param(["a=1", "a=2"], {}, [("a=2",)], id="fixed-twice"),
        pytest.param(["a=1,2", "a=3"], {}, [("a=3",)], id="fixed-last"),
        pytest.param(["a=3", "a=1,2"], {}, [("a=1",), ("a=2",)], id="ranged-last"),
        pytest.param(["s=zip(a=choice(1,2),b=choice(3,4))"] * 2, {}, [("a=1", "b=3"), ("a=2", "b=4")], id="zip-twice"),
        pytest.param(
            ["+a=3"],
            {"+a": "1,2"},
            [("+a=3",)],
            id="fixed-addition",
        ),
        pytest.param(
            ["features@model.features=trees"],
            {"features@model.features": "trees,linear"},
            [("features@model.features=trees",)],
            id="fixed-packaged-group",
        ),
        pytest.param(["a=3", "b=4"], {"s": "zip(a=choice(1,2),b=choice(x,y))"}, [("a=3", "b=4")], id="fixed-whole-zip"),
        pytest.param(["++a=3"], {"a": "1,2"}, [("++a=3",)], id="forced"),
        pytest.param(
            ["+a=7,8"], {"s": "zip(+a=choice(1,2),b=choice(x,x))"}, [("b=x", "+a=7"), ("b=x", "+a=8")], id="ranged-part"
        ),
        pytest.param(
            ["a=3"],
            {"s": "zip(a=choice(1,2),b=choice(x,y))"},
            [("a=3", "b=x"), ("a=3", "b=y")],
            id="fixed-part-of-a-zip",
        ),
    ],
)
def test_the_last_that_is_said_of_a_key_counts(
    typed: list[str], params: dict[str, Any], expected: list[tuple[str, ...]]
) -> None:
    assert grid(*typed, params=params) == expected


def test_a_range_that_is_forced_replaces_the_models_own() -> None:
    assert sorted(names(read(f"++{DEPTH}=1,2"))) == [f"++{DEPTH}", RATE]


def test_without_its_search_a_model_has_no_range() -> None:
    found = read("model=forest,line", "~model.search", f"{DEPTH}=1,2")
    assert names(found) == ["model", f"forest:{DEPTH}"]
    assert found.fixed_for("line") == ("~model.search",)


def test_a_grid_leaves_the_models_own_ranges_out() -> None:
    assert grid("model=forest,line", f"{ALPHA}=1,2") == [
        ("model=forest",),
        ("model=line", f"{ALPHA}=1"),
        ("model=line", f"{ALPHA}=2"),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("choice(1,2)", "a=1", id="text"),
        pytest.param(3, "a=3", id="number"),
        pytest.param(True, "a=True", id="truth"),
        pytest.param([1, 2], "a=[1,2]", id="list"),
        pytest.param("'x,y'", "a='x,y'", id="quoted"),
        pytest.param(None, "a=null", id="null"),
        pytest.param({"x": 1}, "a={x:1}", id="dict"),
    ],
)
def test_params_may_hold_what_yaml_does(value: Any, text: str) -> None:
    assert grid(params={"a": value})[0] == (text,)


# Keys and their models


def test_a_fixed_key_reaches_the_models_that_have_it() -> None:
    found = read("model=forest,line,mean", "cleaning=full", f"{RATE}=3", f"{ALPHA}=2", "model.estimator.nested.deep=4")
    assert found.fixed_for("forest") == ("cleaning=full", f"{RATE}=3")
    assert found.fixed_for("line") == ("cleaning=full", f"{RATE}=3", f"{ALPHA}=2", "model.estimator.nested.deep=4")
    assert found.fixed_for("mean") == ("cleaning=full",)
    assert names(found) == ["model", f"forest:{DEPTH}"]


@pytest.mark.parametrize("text", ["model.estimator.dept=3", "+model.estimator.new=3"])
def test_a_fixed_key_that_no_model_has_is_left_to_hydra(text: str) -> None:
    assert read("model=forest,line", text).fixed == ((text, None),)


def test_a_deletion_reaches_the_models_that_have_the_key() -> None:
    found = read("model=forest,line", f"~{DEPTH}")
    assert found.fixed == ((f"~{DEPTH}", ("forest",)),)
    assert f"forest:{DEPTH}" not in names(found)


def test_a_range_reaches_the_models_that_have_its_key() -> None:
    found = read("model=forest,line,mean", f"{RATE}=7,8", searched=False)
    assert names(found) == ["model", f"forest:{RATE}", f"line:{RATE}"]


def test_a_range_that_is_added_is_for_all_models() -> None:
    found = read("model=forest,mean", "+model.estimator.new=7,8", searched=False)
    assert [one.model for one in found.dimensions] == [None, None]
    assert found.size == 4


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (
            ["model=forest,line", "model.estimator.dept=1,2"],
            "model.estimator.dept=1,2: none of forest, line has the key model.estimator.dept; correct it, or add it on "
            "purpose with +model.estimator.dept.",
        ),
        (
            [f"{ALPHA}=interval(0,1)"],
            f"{ALPHA}=interval(0,1): none of forest has the key {ALPHA}; correct it, or add it on purpose with "
            f"+{ALPHA}.",
        ),
        (
            [f"{DEPTH}.deeper=1,2"],
            f"{DEPTH}.deeper=1,2: none of forest has the key {DEPTH}.deeper; correct it, or add it on purpose with "
            f"+{DEPTH}.deeper.",
        ),
    ],
    ids=["misspelt", "another-models", "below-a-value"],
)
def test_a_range_that_no_model_has_is_refused(typed: list[str], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(*typed)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("searched", [True, False])
def test_a_seed_in_params_is_refused(searched: bool) -> None:
    with pytest.raises(ConfigError, match=r"^seed=range\(0,5\): a seed is not searched"):
        read(params={"seed": "range(0,5)"}, searched=searched)


# Grids


def test_a_grid_lists_each_combination_once_the_last_key_fastest() -> None:
    assert grid("b=1,2", "a=x,y") == [("b=1", "a=x"), ("b=1", "a=y"), ("b=2", "a=x"), ("b=2", "a=y")]


@pytest.mark.parametrize("sizes", list(itertools.product([1, 2, 3], repeat=3)), ids=str)
def test_the_size_is_that_of_the_grid(sizes: tuple[int, int, int]) -> None:
    first, second, third = sizes
    found = read(
        f"a=range(0,{first})",
        f"model=choice({','.join(['line', 'mean', 'forest'][:second])})",
        f"{ALPHA}=range(0,{third})",
        searched=False,
    )
    assert found.size == len(found.grid()) == first * (third + second - 1)


@pytest.mark.parametrize(
    ("typed", "size"),
    [
        ([], 12),
        (["model=forest,mean"], 13),
        (["model=forest,line"], math.inf),
        ([f"{DEPTH}=tag(log,interval(1,2))"], math.inf),
    ],
    ids=["ints", "and-one-without", "a-float", "a-log"],
)
def test_the_size_of_a_search(typed: list[str], size: float) -> None:
    assert read(*typed).size == size


def test_nothing_searched_is_one_combination() -> None:
    assert grid("a=1") == [("a=1",)]
    assert read("a=1", searched=False).size == 1


def test_a_grid_zips_and_multiplies() -> None:
    assert grid("s=zip(a=choice(1,2),b=choice(3,4))", "c=x,y") == [
        ("a=1", "b=3", "c=x"),
        ("a=1", "b=3", "c=y"),
        ("a=2", "b=4", "c=x"),
        ("a=2", "b=4", "c=y"),
    ]


# Zips of models


def test_the_models_of_a_zip_have_their_own_ranges() -> None:
    found = read("a=x,y", "m=zip(model=choice(line,forest,mean),b=choice(1,2,3))")
    assert names(found) == ["m", "a", f"line:{ALPHA}", f"line:{RATE}", f"forest:{DEPTH}", f"forest:{RATE}"]
    assert found.models == ["line", "forest", "mean"]
    assert found.chosen({"m": "model=forest,b=2"}) == "forest"
    keys = {"line": {ALPHA, RATE}, "forest": {DEPTH, RATE}, "mean": set()}
    for overrides in drawn(found, 30):
        told = dict(text.split("=") for text in overrides)
        assert set(told) == {"model", "a", "b"} | keys[told["model"]]


def test_a_grid_of_zipped_models_has_a_combination_for_each_row() -> None:
    typed = ["m=zip(model=choice(line,forest,line),b=choice(1,2,3))", f"{ALPHA}=7,8"]
    assert grid(*typed) == [
        ("model=line", "b=1", f"{ALPHA}=7"),
        ("model=line", "b=1", f"{ALPHA}=8"),
        ("model=forest", "b=2"),
        ("model=line", "b=3", f"{ALPHA}=7"),
        ("model=line", "b=3", f"{ALPHA}=8"),
    ]
    assert read(*typed, searched=False).size == 5


def test_a_zipped_key_leaves_the_models_own_range() -> None:
    assert names(read(f"s=zip({DEPTH}=choice(1,2),b=choice(3,4))")) == ["s", RATE]


def test_a_model_that_is_named_twice_is_one() -> None:
    assert grid("model=line,line", "a=1,1") == [("model=line", "a=1")]


# Exclusions


@pytest.mark.parametrize(
    ("rules", "left"),
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
def test_what_is_excluded_is_not_tried(rules: list[str], left: list[str]) -> None:
    found = grid("model=forest,line", "cleaning=full,none", exclude=tuple(rules))
    assert ["-".join(text.partition("=")[2] for text in one) for one in found] == left


@pytest.mark.parametrize(
    ("typed", "rule", "left"),
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
def test_a_rule_is_written_as_the_value_is(typed: str, rule: str, left: list[tuple[str, ...]]) -> None:
    assert grid(typed, exclude=(rule,)) == left


def test_a_rule_looks_at_fixed_overrides_too() -> None:
    assert grid("model=line", "cleaning=full,none", exclude=("model=line,cleaning=full",)) == [
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
    assert exclusions([rule]) == (parts,)


@pytest.mark.parametrize("rule", ["model", "model=rf,full", "model:rf"])
def test_a_rule_that_is_no_combination_is_refused(rule: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(exclude=(rule,))
    assert str(caught.value) == (
        f"hydra.sweeper.exclude: '{rule}' is no combination; write it like model=rf,cleaning=full."
    )


@pytest.mark.parametrize(
    ("rule", "left"),
    [
        ("split='80_20'", ["split=kfold"]),
        ("split=*", []),
        ("split=80*", ["split=kfold"]),
        ("++split=kfold", ["split='80_20'"]),
    ],
)
def test_a_rule_matches_with_quotes_and_without(rule: str, left: list[str]) -> None:
    assert grid("split='80_20',kfold", exclude=(rule,)) == [(text,) for text in left]


@pytest.mark.parametrize("rule", ["a=true", "a=True"])
def test_a_rule_spells_a_truth_as_it_likes(rule: str) -> None:
    assert grid("a=true", "b=1,2", exclude=(f"{rule},b=1",)) == [("a=true", "b=2")]


def test_an_empty_rule_is_refused() -> None:
    with pytest.raises(ConfigError):
        read(exclude=("",))


# Parameters as overrides


def test_parameters_are_written_in_their_order_behind_what_is_fixed() -> None:
    found = read("cleaning=full", "model=forest,line", "a=null,2")
    params = {"model": "line", f"line:{RATE}": 0.25, "a": None}
    assert found.overrides(params) == ("cleaning=full", "model=line", f"{RATE}=0.25", "a=null")
    assert found.chosen(params) == "line"
    assert found.chosen({}) == "forest"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "model.x=3"),
        (0.5, "model.x=0.5"),
        ("text", "model.x=text"),
        pytest.param(None, "model.x=null"),
        pytest.param("80_20", "model.x='80_20'"),
    ],
)
def test_a_custom_search_space_names_keys_itself(value: Any, text: str) -> None:
    assert read("a=1,2", searched=False).overrides({"a": 1, "model.x": value}) == ("a=1", text)


def test_a_description_tells_spaces_apart() -> None:
    described = read("model=forest,mean", "c=1", exclude=("model=mean,c=*",)).describe()
    assert described["fixed"] == ["c=1"]
    assert list(described["dimensions"]) == ["model", f"forest:{DEPTH}", f"forest:{RATE}"]
    assert described["exclude"] == ["model=mean,c=*"]
    assert described == read("model=forest,mean", "c=1", exclude=("model=mean,c=*",)).describe()
    assert described != read("model=forest,mean", f"{DEPTH}=range(4,6)", "c=1").describe()


# The real models, through Hydra


Reader = Callable[..., Space]


@pytest.fixture(scope="module")
def search() -> Iterator[Reader]:
    """Read the space of a command line, with what a preset says of the sweeper."""
    register_sweeper()
    with initialize_config_dir(str(PROJECT / "conf"), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()

        @functools.cache
        def opened(sweep: str) -> tuple[Composer, DictConfig]:
            config = loader.load_configuration("config", [f"sweep={sweep}"], RunMode.MULTIRUN)
            return Composer(HydraContext(config_loader=loader, callbacks=Callbacks()), config), config

        def reader(*typed: str, sweep: str = "optuna", **sweeper: Any) -> Space:
            composer, config = opened(sweep)
            config = copy.deepcopy(config)
            with open_dict(config):
                config.hydra.sweeper.update(sweeper)
            return entry.read_space(settings.read(config), composer, [f"sweep={sweep}", *typed])

        yield reader


def test_real_models_have_their_own_ranges(search: Reader) -> None:
    found = search("model=ridge,rf", "split='80_20',kfold")
    assert names(found)[:4] == ["model", "split", f"ridge:{ALPHA}", "ridge:model.features.low_cardinality"]
    assert ranges(found)["rf:model.estimator.max_depth"] == IntDistribution(4, 32)
    assert found.fixed == (("sweep=optuna", None),)


def test_a_grid_of_real_models(search: Reader) -> None:
    found = search("model=ridge,rf", "split='80_20',kfold", sweep="grid")
    assert [found.overrides(params)[1:] for params in found.grid()] == [
        ("model=ridge", "split='80_20'"),
        ("model=ridge", "split=kfold"),
        ("model=rf", "split='80_20'"),
        ("model=rf", "split=kfold"),
    ]


def test_an_experiment_chooses_the_model(search: Reader) -> None:
    found = search("experiment=five_stars")
    assert found.model == "rf"
    assert "model.estimator.max_depth" in names(found)


def test_an_option_of_params_that_reads_as_a_number_is_quoted(search: Reader) -> None:
    found = search(params={"split": "choice(80_20,kfold)", "s": "zip(gate=choice(1_2,b),c=choice(1,2))"}, sweep="grid")
    assert ranges(found)["split"] == CategoricalDistribution(["'80_20'", "kfold"])
    assert ranges(found)["s"] == CategoricalDistribution(["gate='1_2',c=1", "gate=b,c=2"])


def test_an_option_of_params_that_is_a_number_is_refused(search: Reader) -> None:
    with pytest.raises(ConfigError, match=r"^split=8020 names no option but a number; put it in quotes"):
        search(params={"split": 8020})


def test_a_model_of_params_is_below_the_command_line(search: Reader) -> None:
    found = search("model=rf", params={"model": "ridge"})
    assert (found.model, found.fixed) == ("rf", (("sweep=optuna", None), ("model=rf", None)))


def test_params_choose_the_model(search: Reader) -> None:
    found = search(params={"model": "ridge"})
    assert found.model == "ridge"


def test_models_by_a_pattern(search: Reader) -> None:
    found = search("model=glob(r*)")
    assert found.models == ["rf", "ridge"]


def test_a_preset_names_params_and_exclusions(search: Reader) -> None:
    params = {"model": "ridge,rf", "cleaning": "full,none", ALPHA: "choice(1,2)"}
    found = search("cleaning=none", sweep="grid", params=params, exclude=["model=ridge,model.estimator.alpha=2"])
    assert [found.overrides(one) for one in found.grid()] == [
        ("sweep=grid", "cleaning=none", "model=ridge", f"{ALPHA}=1"),
        ("sweep=grid", "cleaning=none", "model=rf"),
    ]

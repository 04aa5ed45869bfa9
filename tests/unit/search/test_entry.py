"""Search spaces of the project's own models, composed by Hydra."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

import pytest
from omegaconf import open_dict
from optuna.distributions import CategoricalDistribution, IntDistribution

from mlrunner.core.errors import ConfigError
from mlrunner.search import entry
from mlrunner.search.settings import read_settings
from mlrunner.search.space import Space
from tests.support.search import open_hydra
from tests.support.spaces import ALPHA, get_distributions, list_names

Reader = Callable[..., Space]


@pytest.fixture(scope="module")
def search() -> Reader:
    """Function that reads the space of a command line under a preset, with values of `hydra.sweeper`."""
    open_sweep = functools.cache(lambda sweep: open_hydra(f"sweep={sweep}"))

    def read(*overrides: str, sweep: str = "optuna", **values: Any) -> Space:
        hydra = open_sweep(sweep)
        config = copy.deepcopy(hydra.config)
        with open_dict(config):
            config.hydra.sweeper.update(values)
        return entry.read_space(read_settings(config), hydra.composer, [f"sweep={sweep}", *overrides])

    return read


def test_real_models_have_their_own_ranges(search: Reader) -> None:
    space = search("model=ridge,rf", "split='80_20',kfold")
    assert list_names(space)[:4] == ["model", "split", f"ridge:{ALPHA}", "ridge:model.features.low_cardinality"]
    assert get_distributions(space)["rf:model.estimator.max_depth"] == IntDistribution(4, 32)
    assert space.fixed == (("sweep=optuna", None),)


def test_a_grid_of_real_models(search: Reader) -> None:
    space = search("model=ridge,rf", "split='80_20',kfold", sweep="grid")
    assert [space.overrides(params)[1:] for params in space.grid()] == [
        ("model=ridge", "split='80_20'"),
        ("model=ridge", "split=kfold"),
        ("model=rf", "split='80_20'"),
        ("model=rf", "split=kfold"),
    ]


def test_an_experiment_chooses_the_model(search: Reader) -> None:
    space = search("experiment=five_stars")
    assert space.model == "rf"
    assert "model.estimator.max_depth" in list_names(space)


def test_an_option_of_params_that_reads_as_a_number_is_quoted(search: Reader) -> None:
    space = search(params={"split": "choice(80_20,kfold)", "s": "zip(gate=choice(1_2,b),c=choice(1,2))"}, sweep="grid")
    assert get_distributions(space)["split"] == CategoricalDistribution(["'80_20'", "kfold"])
    assert get_distributions(space)["s"] == CategoricalDistribution(["gate='1_2',c=1", "gate=b,c=2"])


def test_an_option_of_params_that_is_a_number_is_refused(search: Reader) -> None:
    with pytest.raises(ConfigError, match=r"^split=8020 names no option but a number; put it in quotes"):
        search(params={"split": 8020})


def test_a_model_of_the_command_line_wins_over_params(search: Reader) -> None:
    space = search("model=rf", params={"model": "ridge"})
    assert (space.model, space.fixed) == ("rf", (("sweep=optuna", None), ("model=rf", None)))


def test_params_choose_the_model(search: Reader) -> None:
    space = search(params={"model": "ridge"})
    assert space.model == "ridge"


def test_models_by_a_pattern(search: Reader) -> None:
    space = search("model=glob(r*)")
    assert space.models == ["rf", "ridge"]


def test_a_preset_may_set_params_and_exclusions(search: Reader) -> None:
    params = {"model": "ridge,rf", "cleaning": "full,none", ALPHA: "choice(1,2)"}
    space = search("cleaning=none", sweep="grid", params=params, exclude=["model=ridge,model.estimator.alpha=2"])
    assert [space.overrides(params) for params in space.grid()] == [
        ("sweep=grid", "cleaning=none", "model=ridge", f"{ALPHA}=1"),
        ("sweep=grid", "cleaning=none", "model=rf"),
    ]

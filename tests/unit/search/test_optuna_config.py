"""The options of `hydra/sweeper/sampler` and `hydra/sweeper/pruner`."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import fields
from typing import Any

import optuna
import pytest
from hydra.utils import get_class, instantiate
from omegaconf import OmegaConf

from mlrunner.search.optuna_config import PRUNERS, SAMPLERS


@pytest.mark.parametrize("name", [*SAMPLERS, *PRUNERS])
def test_every_option_is_a_class_of_optuna_with_its_parameters(name: str) -> None:
    node: Any = (SAMPLERS | PRUNERS)[name]()
    base = optuna.samplers.BaseSampler if name in SAMPLERS else optuna.pruners.BasePruner
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert issubclass(get_class(node._target_), base)
    values = {field.name: getattr(node, field.name) for field in fields(node) if not field.name.startswith("_")}
    parameters = set(inspect.signature(get_class(node._target_)).parameters)
    assert {key for key, value in values.items() if value is not None} <= parameters


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("tpe", "seed prior_weight n_startup_trials n_ei_candidates multivariate group constant_liar"),
        ("random", "seed"),
        ("cmaes", "seed x0 sigma0 n_startup_trials independent_sampler use_separable_cma"),
        ("nsgaii", "seed population_size mutation_prob crossover_prob swapping_prob"),
        ("grid", ""),
    ],
)
def test_the_keys_of_the_official_samplers_are_accepted(name: str, keys: str) -> None:
    assert set(keys.split()) <= {field.name for field in fields(SAMPLERS[name])}


@pytest.mark.parametrize("name", PRUNERS)
def test_the_defaults_of_the_pruners_are_those_of_optuna(name: str) -> None:
    node: Any = PRUNERS[name]()
    arguments = {"percentile": 25.0} if name == "percentile" else {}  # which has no default in Optuna
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pruner, default = instantiate(OmegaConf.structured(node)), get_class(node._target_)(**arguments)
    assert vars(pruner) == vars(default)

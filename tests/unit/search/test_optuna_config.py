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

from mlrunner.search import study_setup
from mlrunner.search.optuna_config import PRUNERS, SAMPLERS

EXISTING = [name for name in SAMPLERS if name != "motpe"]


@pytest.mark.parametrize("name", [*EXISTING, *PRUNERS])
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
        ("tpe", "seed prior_weight n_startup_trials n_ei_candidates multivariate group constant_liar constraints_func"),
        ("random", "seed"),
        (
            "cmaes",
            "seed x0 sigma0 n_startup_trials independent_sampler use_separable_cma restart_strategy popsize "
            "inc_popsize lr_adapt with_margin source_trials",
        ),
        (
            "nsgaii",
            "seed population_size mutation mutation_prob crossover crossover_prob swapping_prob constraints_func",
        ),
        ("nsgaiii", "seed population_size mutation crossover constraints_func reference_points dividing_parameter"),
        ("gp", "seed n_startup_trials deterministic_objective independent_sampler constraints_func"),
        ("qmc", "seed qmc_type scramble independent_sampler"),
        ("grid", "seed"),
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


def limit(trial: Any) -> list[float]:
    return [trial.params["x"]]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("cmaes", {"popsize": 6, "lr_adapt": True}),
        ("cmaes", {"restart_strategy": "ipop", "inc_popsize": 2}),
        ("nsgaii", {"crossover": {"_target_": "optuna.samplers.nsgaii.SBXCrossover"}, "population_size": 4}),
        ("nsgaii", {"mutation": {"_target_": "optuna.samplers.nsgaii.PolynomialMutation"}, "population_size": 4}),
        ("nsgaiii", {"reference_points": [[1.0, 0.0], [0.0, 1.0]], "population_size": 4}),
        ("tpe", {"constraints_func": {"_target_": "hydra.utils.get_method", "path": f"{__name__}.limit"}}),
    ],
)
def test_what_a_key_takes_reaches_optuna(name: str, values: dict[str, Any]) -> None:
    node = OmegaConf.merge(OmegaConf.structured(SAMPLERS[name]), values, {"seed": 1})
    sampler = study_setup.make_sampler(OmegaConf.to_container(node))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = optuna.create_study(sampler=sampler, directions=["minimize"] * (2 if name.startswith("nsga") else 1))
        for _ in range(12):
            trial = study.ask()
            values_found = [trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)]
            study.tell(trial, values_found[: len(study.directions)])
    assert len(study.trials) == 12

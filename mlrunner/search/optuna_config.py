"""Options of `hydra/sweeper/sampler` and `hydra/sweeper/pruner`: classes of Optuna with their defaults.

The samplers have the names and keys of the official plugin. Their defaults are those of Optuna 5, also where its are
not (`multivariate`, `constant_liar`), but for two: `qmc` is scrambled, and no sampler warns of independent sampling.
"""

from __future__ import annotations

from dataclasses import dataclass, make_dataclass
from typing import Any

import yaml
from omegaconf import MISSING

REMOVED_SAMPLER = "MOTPESampler"  # Optuna has not had it since 4.0
# Types of the arguments that are null by default or `auto`; the others are true, false or null.
TYPES: dict[str, Any] = {
    **dict.fromkeys(("x0", "independent_sampler", "source_trials", "constraints_func", "restart_strategy"), Any),
    **dict.fromkeys(("mutation", "crossover", "reference_points"), Any),  # nodes with a _target_, and a list of lists
    **dict.fromkeys(("min_resource", "max_resource"), Any),
    **dict.fromkeys(("prior_weight", "sigma0", "mutation_prob"), float | None),
    **dict.fromkeys(("seed", "popsize"), int | None),
}
GENETIC = (
    "seed population_size=50 mutation mutation_prob crossover crossover_prob=0.9 swapping_prob=0.5 constraints_func"
)


@dataclass
class SamplerConfig:
    """Any sampler of Optuna."""

    _target_: str = MISSING


@dataclass
class PrunerConfig:
    """Any pruner of Optuna; by default none prunes."""

    _target_: str = "optuna.pruners.NopPruner"


def _option(base: type, name: str, arguments: str) -> type:
    """Make the configuration of a class of Optuna; an argument without a value is null."""
    fields: list[tuple[str, Any, Any]] = [("_target_", str, f"optuna.{name}")]
    for argument in arguments.split():
        key, _, text = argument.partition("=")
        value = yaml.safe_load(text)
        fields.append((key, TYPES.get(key, bool | None if value is None else type(value)), value))
    return make_dataclass(name.rpartition(".")[2], fields, bases=(base,))


def _sampler(name: str, arguments: str) -> type:
    return _option(SamplerConfig, f"samplers.{name}", arguments)


def _pruner(name: str, arguments: str) -> type:
    return _option(PrunerConfig, f"pruners.{name}", arguments)


SAMPLERS: dict[str, type] = {
    "tpe": _sampler(
        "TPESampler",
        "seed consider_prior prior_weight consider_magic_clip consider_endpoints n_startup_trials=10 "
        "n_ei_candidates=24 multivariate group=false constant_liar=true warn_independent_sampling "
        "constraints_func",
    ),
    "random": _sampler("RandomSampler", "seed"),
    "cmaes": _sampler(  # for numeric parameters; needs the package cmaes
        "CmaEsSampler",
        "seed x0 sigma0 n_startup_trials=1 independent_sampler warn_independent_sampling=false "
        "consider_pruned_trials=false restart_strategy popsize inc_popsize=-1 use_separable_cma=false "
        "with_margin=false lr_adapt=false source_trials",
    ),
    "nsgaii": _sampler("NSGAIISampler", GENETIC),  # genetic algorithm, for several objectives
    "nsgaiii": _sampler("NSGAIIISampler", f"{GENETIC} reference_points dividing_parameter=3"),  # for four or more
    "motpe": _sampler(REMOVED_SAMPLER, ""),  # refused with what to choose instead
    # Every combination once, in order or shuffled by the seed; the sweeper builds the grid from the dimensions.
    "grid": _sampler("GridSampler", "_partial_=true seed"),
    "gp": _sampler(  # Gaussian process; needs the package torch
        "GPSampler",
        "seed n_startup_trials=10 deterministic_objective=false independent_sampler constraints_func "
        "warn_independent_sampling=false",
    ),
    "qmc": _sampler(
        "QMCSampler",
        "seed qmc_type=sobol scramble=true independent_sampler warn_asynchronous_seeding=false "
        "warn_independent_sampling=false",
    ),
}
MEDIAN = "n_startup_trials=5 n_warmup_steps=0 interval_steps=1 n_min_trials=1"
PRUNERS: dict[str, type] = {
    "none": PrunerConfig,
    "median": _pruner("MedianPruner", MEDIAN),
    "percentile": _pruner("PercentilePruner", f"{MEDIAN} percentile=25.0"),
    "halving": _pruner(
        "SuccessiveHalvingPruner", "min_resource=auto reduction_factor=4 min_early_stopping_rate=0 bootstrap_count=0"
    ),
    "hyperband": _pruner("HyperbandPruner", "min_resource=1 max_resource=auto reduction_factor=3 bootstrap_count=0"),
    "wilcoxon": _pruner("WilcoxonPruner", "p_threshold=0.1 n_startup_steps=2"),  # over the folds or repeats
}

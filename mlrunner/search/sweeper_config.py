"""TODO."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

SWEEPER = "hydra_plugins.mlrunner_sweeper.sweeper.OptunaSweeper"


OFFICIAL = "hydra_plugins.hydra_optuna_sweeper"


@dataclass
class SamplerConfig:
    """Any Optuna sampler, by its class."""

    _target_: str = MISSING


@dataclass
class TPESamplerConfig(SamplerConfig):
    """Tree-structured Parzen estimator."""

    _target_: str = "optuna.samplers.TPESampler"
    seed: int | None = None
    consider_prior: bool | None = None
    prior_weight: float | None = None
    consider_magic_clip: bool | None = None
    consider_endpoints: bool | None = None
    n_startup_trials: int = 10
    n_ei_candidates: int = 24
    multivariate: bool | None = None
    group: bool = False
    constant_liar: bool = True
    warn_independent_sampling: bool | None = None


@dataclass
class RandomSamplerConfig(SamplerConfig):
    """Independent draws."""

    _target_: str = "optuna.samplers.RandomSampler"
    seed: int | None = None


@dataclass
class CmaEsSamplerConfig(SamplerConfig):
    """Covariance matrix adaptation, for numbers."""

    _target_: str = "optuna.samplers.CmaEsSampler"
    seed: int | None = None
    x0: dict[str, Any] | None = None
    sigma0: float | None = None
    n_startup_trials: int = 1
    independent_sampler: Any | None = None
    warn_independent_sampling: bool = False
    consider_pruned_trials: bool = False
    use_separable_cma: bool = False
    with_margin: bool = False
    source_trials: Any | None = None


@dataclass
class NSGAIISamplerConfig(SamplerConfig):
    """A genetic algorithm, for several objectives."""

    _target_: str = "optuna.samplers.NSGAIISampler"
    seed: int | None = None
    population_size: int = 50
    mutation_prob: float | None = None
    crossover_prob: float = 0.9
    swapping_prob: float = 0.5
    constraints_func: Any | None = None


@dataclass
class GPSamplerConfig(SamplerConfig):
    """Gaussian processes; needs torch."""

    _target_: str = "optuna.samplers.GPSampler"
    seed: int | None = None
    n_startup_trials: int = 10
    deterministic_objective: bool = False
    independent_sampler: Any | None = None
    warn_independent_sampling: bool = False


@dataclass
class QMCSamplerConfig(SamplerConfig):
    """Evenly spread points."""

    _target_: str = "optuna.samplers.QMCSampler"
    seed: int | None = None
    qmc_type: str = "sobol"
    scramble: bool = True
    independent_sampler: Any | None = None
    warn_asynchronous_seeding: bool = False
    warn_independent_sampling: bool = False


@dataclass
class GridSamplerConfig(SamplerConfig):
    """Every combination once, in order; the sweeper fills the grid from the dimensions."""

    _target_: str = "optuna.samplers.GridSampler"
    _partial_: bool = True


@dataclass
class PrunerConfig:
    """Any Optuna pruner, by its class."""

    _target_: str = "optuna.pruners.NopPruner"


@dataclass
class MedianPrunerConfig(PrunerConfig):
    """Stop what is worse than the median at the same step."""

    _target_: str = "optuna.pruners.MedianPruner"
    n_startup_trials: int = 5
    n_warmup_steps: int = 0
    interval_steps: int = 1
    n_min_trials: int = 1


@dataclass
class PercentilePrunerConfig(MedianPrunerConfig):
    """Stop what is not among the best share at the same step."""

    _target_: str = "optuna.pruners.PercentilePruner"
    percentile: float = 25.0


@dataclass
class HalvingPrunerConfig(PrunerConfig):
    """Successive halving."""

    _target_: str = "optuna.pruners.SuccessiveHalvingPruner"
    min_resource: Any = "auto"
    reduction_factor: int = 4
    min_early_stopping_rate: int = 0
    bootstrap_count: int = 0


@dataclass
class HyperbandPrunerConfig(PrunerConfig):
    """Successive halving with several starts."""

    _target_: str = "optuna.pruners.HyperbandPruner"
    min_resource: int = 1
    max_resource: Any = "auto"
    reduction_factor: int = 3
    bootstrap_count: int = 0


@dataclass
class WilcoxonPrunerConfig(PrunerConfig):
    """A signed-rank test over the folds, for cross-validation and repeats."""

    _target_: str = "optuna.pruners.WilcoxonPruner"
    p_threshold: float = 0.1
    n_startup_steps: int = 2


@dataclass
class OptunaSweeperConf:
    """See the README's chapter on search for what each key does."""

    defaults: list[Any] = field(default_factory=lambda: [{"sampler": "tpe"}, {"pruner": "none"}])
    _target_: str = SWEEPER
    _recursive_: bool = False  # sampler and pruner are built anew for each trial
    sampler: SamplerConfig = MISSING
    pruner: PrunerConfig = MISSING
    direction: Any = None  # minimize, maximize or a list; null follows the metric
    storage: Any = None  # an Optuna storage URL; null keeps a journal under .mlrunner/studies/
    study_name: str | None = None  # null names the study after the sweep's folder
    n_trials: int | None = 20  # in all, over every resume; null for the whole of a grid
    n_jobs: int = 2  # trials at the same time
    max_failure_rate: float = 0.5  # share of n_trials that may fail; beyond it the sweep stops with exit code 1
    search_space: Any = None  # the form of Hydra 1.1, refused with a sentence that names params
    params: dict[str, Any] | None = field(default_factory=dict)  # key to range, as on the command line
    custom_search_space: str | None = None  # a function of (config, trial)
    timeout: float | None = None  # seconds after which no trial is begun
    patience: int | None = None  # trials without a better one after which the sweep ends
    target: float | None = None  # the objective that is good enough
    warm_start: Any = None  # compositions to try first, or an earlier sweep
    repeats: int = 1  # seeds that each trial is averaged over
    fail_fast: bool = False  # stop at the first failure
    retries: int = 0  # more attempts of a trial that failed
    exclude: list[str] = field(
        default_factory=list
    )  # combinations that are not tried, such as "model=rf,cleaning=full"
    dry_run: bool = False  # show the plan and start nothing
    allow_changes: bool = False  # resume although the space or the data have changed
    refit: bool = True  # fit the winner on train and validation, and hand it to the gate


OPTIONS: dict[str, dict[str, type]] = {
    "hydra/sweeper/sampler": {
        "tpe": TPESamplerConfig,
        "random": RandomSamplerConfig,
        "cmaes": CmaEsSamplerConfig,
        "nsgaii": NSGAIISamplerConfig,
        "grid": GridSamplerConfig,
        "gp": GPSamplerConfig,
        "qmc": QMCSamplerConfig,
    },
    "hydra/sweeper/pruner": {
        "none": PrunerConfig,
        "median": MedianPrunerConfig,
        "percentile": PercentilePrunerConfig,
        "halving": HalvingPrunerConfig,
        "hyperband": HyperbandPrunerConfig,
        "wilcoxon": WilcoxonPrunerConfig,
    },
}


def register() -> None:
    """Register our sweeper under `optuna`; in our own program it wins over the official plugin's."""
    store = ConfigStore.instance()
    store.store(group="hydra/sweeper", name="optuna", node=OptunaSweeperConf, provider="mlrunner")
    for group, options in OPTIONS.items():
        for name, node in options.items():
            store.store(group=group, name=name, node=node, provider="mlrunner")

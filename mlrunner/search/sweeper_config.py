"""Keys of `hydra.sweeper` and their defaults, as Hydra's configuration store registers them.

The names are those of the official plugin where it has them, so that its documentation applies. So are the defaults,
but for `direction`, which follows the metric, and `max_failure_rate`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from mlrunner.search.optuna_config import PRUNERS, SAMPLERS, PrunerConfig, SamplerConfig

SWEEPER_CLASS = "hydra_plugins.mlrunner_sweeper.sweeper.OptunaSweeper"
OFFICIAL_PLUGIN = "hydra_plugins.hydra_optuna_sweeper"
SWEEPER_OPTIONS = {"hydra/sweeper/sampler": SAMPLERS, "hydra/sweeper/pruner": PRUNERS}


@dataclass
class OptunaSweeperConf:
    """Keys of `hydra.sweeper`; the README explains them."""

    defaults: list[Any] = field(default_factory=lambda: [{"sampler": "tpe"}, {"pruner": "none"}])
    _target_: str = SWEEPER_CLASS
    _recursive_: bool = False  # sampler and pruner are built anew for each trial
    sampler: SamplerConfig = MISSING
    pruner: PrunerConfig = MISSING
    direction: Any = None  # minimize, maximize or a list; null follows the metric
    storage: Any = None  # an Optuna storage URL; null keeps a journal under .mlrunner/studies/
    study_name: str | None = None  # null names the study after the sweep's folder
    n_trials: int | None = 20  # of the whole search, resumed sessions included; null tries the whole grid
    n_jobs: int = 2  # trials at the same time
    max_failure_rate: float = 0.5  # share of n_trials that may fail; beyond it the sweep stops with exit code 1
    search_space: Any = None  # the form of Hydra 1.1; refused with a message that points to params
    params: dict[str, Any] | None = field(default_factory=dict)  # range by key, as on the command line
    custom_search_space: str | None = None  # a function of (config, trial)
    timeout: float | None = None  # seconds after which no trial starts
    patience: int | None = None  # trials without improvement after which the sweep stops
    target: float | None = None  # value of the objective at which the sweep stops
    warm_start: Any = None  # compositions to try first, or an earlier sweep
    first: str = "defaults"  # the first trial of each model is its default composition; none: the sampler draws it
    repeats: int = 1  # seeds that each trial is averaged over
    fail_fast: bool = False  # stop at the first failed trial
    retries: int = 0  # further attempts of a failed trial
    exclude: list[str] = field(default_factory=list)  # combinations to skip, such as "model=rf,cleaning=full"
    dry_run: bool = False  # show the plan and run nothing
    allow_changes: bool = False  # resume although the space or the data have changed
    refit: bool = True  # fit the winner on train and validation, and hand it to the gate


def register_sweeper_config() -> None:
    """Register our sweeper as `hydra/sweeper=optuna`; in our own program it replaces the official plugin."""
    store = ConfigStore.instance()
    store.store(group="hydra/sweeper", name="optuna", node=OptunaSweeperConf, provider="mlrunner")
    for group, options in SWEEPER_OPTIONS.items():
        for name, node in options.items():
            store.store(group=group, name=name, node=node, provider="mlrunner")

"""Keys of `hydra.sweeper` and their defaults, as Hydra's configuration store registers them.

The names are those of the official plugin where it has them, so that its documentation applies. So are the defaults:
`direction` and `max_failure_rate` have its values in other Hydra programs, and our own in mlrunner's searches.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigNode, ConfigStore
from hydra.core.object_type import ObjectType
from omegaconf import MISSING

from mlrunner.search.optuna_config import PRUNERS, SAMPLERS, PrunerConfig, SamplerConfig

PROVIDER = "mlrunner"
SWEEPER_GROUP, SWEEPER_OPTION = "hydra/sweeper", "optuna"
OUR_OPTION, OTHER_OPTION = "optuna_mlrunner", "optuna_official"  # where two plugins have the name of the option
SWEEPER_CLASS = "hydra_plugins.mlrunner_sweeper.sweeper.OptunaSweeper"
SWEEPER_OPTIONS = {"hydra/sweeper/sampler": SAMPLERS, "hydra/sweeper/pruner": PRUNERS}


@dataclass
class OptunaSweeperConf:
    """Keys of `hydra.sweeper`; the comments are their reference in the documentation."""

    defaults: list[Any] = field(default_factory=lambda: [{"sampler": "tpe"}, {"pruner": "none"}])
    _target_: str = SWEEPER_CLASS
    _recursive_: bool = False  # sampler and pruner are built anew for each trial
    sampler: SamplerConfig = MISSING
    pruner: PrunerConfig = MISSING
    direction: Any = None  # minimize, maximize or a list; null follows the metric, or minimizes in other programs
    # An Optuna storage URL; null keeps a journal under .mlrunner/studies/, or the memory in other programs.
    storage: Any = None
    study_name: str | None = None  # null names the study after the sweep's folder
    n_trials: int | None = 20  # of the whole search, resumed sessions included; null tries the whole grid
    n_jobs: int = 2  # trials at the same time
    # Share of n_trials that may fail before the sweep stops, null is 0.5; in other programs of a batch, null is 0.
    max_failure_rate: float | None = None
    search_space: Any = None  # the form of Hydra 1.1; refused, or read with a warning in other programs
    # Range by key, as on the command line.
    params: dict[str, Any] | None = field(default_factory=dict)
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
    allow_changes: bool = False  # resume although the space, the data or a configuration file have changed
    refit: bool = True  # fit the winner on train and validation, and hand it to the gate


def register_sweeper_config() -> None:
    """Register our sweeper as `hydra/sweeper=optuna`; in our own program it replaces the official plugin."""
    _store(SWEEPER_GROUP, SWEEPER_OPTION, OptunaSweeperConf)
    for group, options in SWEEPER_OPTIONS.items():
        for name, node in options.items():
            _store(group, name, node)


def offer_sweeper_config() -> None:
    """Register our sweeper in any Hydra program; another plugin with the same name is offered beside it.

    Where both are, `optuna` asks which is meant, and the other plugin keeps its samplers.
    """
    other = _find(SWEEPER_GROUP, SWEEPER_OPTION)
    if other is None:
        register_sweeper_config()
        return
    if other.provider == PROVIDER:
        return
    ConfigStore.instance().store(OTHER_OPTION, other.node, SWEEPER_GROUP, provider=other.provider)
    for name in (OUR_OPTION, SWEEPER_OPTION):
        _store(SWEEPER_GROUP, name, OptunaSweeperConf)
    for group, options in SWEEPER_OPTIONS.items():
        for name, node in options.items():
            if _find(group, name) is None:
                _store(group, name, node)


def is_ambiguous(option: str) -> bool:
    """Check whether an option of `hydra/sweeper` is offered by two plugins."""
    return option == SWEEPER_OPTION and _find(SWEEPER_GROUP, OTHER_OPTION) is not None


def _store(group: str, name: str, node: type) -> None:
    ConfigStore.instance().store(name, node, group, provider=PROVIDER)


def _find(group: str, name: str) -> ConfigNode | None:
    """Return a registered option; None where no plugin has registered it."""
    store, path = ConfigStore.instance(), f"{group}/{name}.yaml"
    return store.load(path) if store.get_type(path) == ObjectType.CONFIG else None

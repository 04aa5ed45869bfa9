"""The values of `hydra.sweeper`, checked."""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal, get_args

import pydantic
from omegaconf import DictConfig, OmegaConf
from pydantic import BeforeValidator, Field

from mlrunner.core.build import sentences
from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.tracking.studies import KEY

Direction = Literal["minimize", "maximize"]
GRID = "optuna.samplers.GridSampler"
NO_PRUNER = "optuna.pruners.NopPruner"
PACKAGES = {"optuna.samplers.CmaEsSampler": "cmaes", "optuna.samplers.GPSampler": "torch"}


def _direction(told: Any) -> Any:
    """Refuse what is no direction in one sentence; of a union pydantic tells what each of its types wanted."""
    each = told if isinstance(told, list) else [told]
    if told is not None and (not each or any(one not in get_args(Direction) for one in each)):
        raise ValueError("should be minimize or maximize, or a list of them with one for each metric")
    return told


class SweepSettings(pydantic.BaseModel):
    """What the sweeper was told; see `hydra_plugins.mlrunner_sweeper.config` for each key."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    sampler: dict[str, Any]
    pruner: dict[str, Any]
    direction: Annotated[Direction | list[Direction] | None, BeforeValidator(_direction)]
    storage: str | dict[str, Any] | None
    study_name: Annotated[str, Field(min_length=1)] | None
    n_trials: Annotated[int, Field(gt=0)] | None
    n_jobs: int = Field(gt=0)
    max_failure_rate: float = Field(ge=0, le=1)
    params: dict[str, Any] | None
    custom_search_space: str | None
    timeout: Annotated[float, Field(gt=0)] | None
    patience: Annotated[int, Field(gt=0)] | None
    target: float | None
    warm_start: str | list[Any] | None
    repeats: int = Field(gt=0)
    fail_fast: bool
    retries: int = Field(ge=0)
    exclude: list[str]
    dry_run: bool
    allow_changes: bool
    refit: bool

    @property
    def is_grid(self) -> bool:
        """Whether every combination is tried once, in order."""
        return self.sampler.get("_target_") == GRID

    @property
    def prunes(self) -> bool:
        """Whether a trial may be stopped before its end."""
        return self.pruner.get("_target_") != NO_PRUNER

    @property
    def threads(self) -> int:
        """Processor threads of one trial: the machine's, shared out among those at the same time."""
        return max(1, len(os.sched_getaffinity(0)) // self.n_jobs)


def read(config: DictConfig) -> SweepSettings:
    """Read and check the sweeper's keys.

    Args:
        config: Hydra's config of the whole sweep.

    Raises:
        ProblemsError: With a sentence for each impossible value.
        ConfigError: When the sampler's package is not installed, or ranges are written in the form of Hydra 1.1.
    """
    told = OmegaConf.to_container(config.hydra.sweeper, resolve=True, enum_to_str=True)
    if not isinstance(told, dict):
        raise ConfigError(f"{KEY} holds no keys; choose hydra/sweeper=optuna.")
    values = {str(key): value for key, value in told.items() if not str(key).startswith("_")}
    refuse_search_space(values.pop("search_space", None))
    try:
        settings = SweepSettings.model_validate(values)
    except pydantic.ValidationError as error:
        raise ProblemsError(sentences(error, KEY, {"": list(SweepSettings.model_fields)})) from error
    refuse_absent(settings)
    return settings


def refuse_search_space(ranges: Any) -> None:
    """Refuse ranges in the form of Hydra 1.1.

    Raises:
        ConfigError: With where to write them.
    """
    if ranges is not None:
        raise ConfigError(
            f"{KEY}.search_space is the form of Hydra 1.1; write the ranges under {KEY}.params, such as "
            f"'+{KEY}.params={{model.estimator.max_depth: \"range(2,9)\"}}'."
        )


def refuse_absent(settings: SweepSettings) -> None:
    """Refuse a sampler whose package is not installed.

    Raises:
        ConfigError: With what to install.
    """
    from importlib.util import find_spec

    package = PACKAGES.get(str(settings.sampler.get("_target_")))
    if package is not None and find_spec(package) is None:
        name = str(settings.sampler["_target_"]).rpartition(".")[2]
        raise ConfigError(
            f"hydra/sweeper/sampler: {name} needs the package {package}, which is not installed; run pip install "
            f"{package}, or choose tpe."
        )

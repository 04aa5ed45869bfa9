"""Read and check the values of `hydra.sweeper`."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Annotated, Any, Literal, get_args

import pydantic
from omegaconf import DictConfig, OmegaConf
from pydantic import BeforeValidator, Field

from mlrunner.core.build import describe_errors
from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.search.optuna_config import REMOVED_SAMPLER
from mlrunner.tracking.studies import SWEEPER_KEY

Direction = Literal["minimize", "maximize"]
GRID_SAMPLER = "optuna.samplers.GridSampler"
FAILURE_RATE = 0.5  # max_failure_rate of mlrunner's own searches
NO_PRUNER = "optuna.pruners.NopPruner"
SAMPLER_PACKAGES = {"optuna.samplers.CmaEsSampler": "cmaes", "optuna.samplers.GPSampler": "torch"}


def _check_direction(value: Any) -> Any:
    """Reject an unknown direction in one sentence; pydantic reports one error for each type of the union."""
    directions = value if isinstance(value, list) else [value]
    if value is not None and (not directions or any(item not in get_args(Direction) for item in directions)):
        raise ValueError("should be minimize or maximize, or a list of them with one for each metric")
    return value


class SweepSettings(pydantic.BaseModel):
    """Checked values of `hydra.sweeper`; `mlrunner.search.sweeper_config` explains each key."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    sampler: dict[str, Any]
    pruner: dict[str, Any]
    direction: Annotated[Direction | list[Direction] | None, BeforeValidator(_check_direction)]
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
    first: Literal["defaults", "none"]
    repeats: int = Field(gt=0)
    fail_fast: bool
    retries: int = Field(ge=0)
    exclude: list[str]
    dry_run: bool
    allow_changes: bool
    refit: bool

    @property
    def is_grid(self) -> bool:
        """Whether the sweep tries every combination once, in order."""
        return self.sampler.get("_target_") == GRID_SAMPLER

    @property
    def has_pruner(self) -> bool:
        """Whether a trial may be pruned."""
        return self.pruner.get("_target_") != NO_PRUNER

    @property
    def threads(self) -> int:
        """Threads of one trial: the processors of this machine divided by `n_jobs`, at least 1."""
        return max(1, len(os.sched_getaffinity(0)) // self.n_jobs)


def read_settings(config: DictConfig) -> SweepSettings:
    """Read and check the values of `hydra.sweeper`.

    Args:
        config: Configuration of the whole sweep, with its `hydra` node.

    Raises:
        ProblemsError: When values are not possible; one sentence each.
        ConfigError: When ranges are in the form of Hydra 1.1, Optuna has no such sampler any
            more, or its package is not installed.
    """
    values = read_values(config)
    _refuse_search_space(values.pop("search_space", None))
    return check_values(values, FAILURE_RATE)


def read_values(config: DictConfig) -> dict[str, Any]:
    """Read the values of `hydra.sweeper` as they are."""
    node: Any = OmegaConf.to_container(config.hydra.sweeper, resolve=True, enum_to_str=True)
    return {str(key): value for key, value in node.items() if not str(key).startswith("_")}


def check_values(values: dict[str, Any], failure_rate: float) -> SweepSettings:
    """Check the values of `hydra.sweeper`.

    Args:
        values: Values by key, without `search_space`.
        failure_rate: Value of `max_failure_rate` where it is null.
    """
    if values.get("max_failure_rate") is None:
        values = {**values, "max_failure_rate": failure_rate}
    try:
        settings = SweepSettings.model_validate(values)
    except pydantic.ValidationError as error:
        raise ProblemsError(describe_errors(error, SWEEPER_KEY, {"": list(SweepSettings.model_fields)})) from error
    _check_sampler(settings)
    return settings


def _refuse_search_space(ranges: Any) -> None:
    if ranges is not None:
        raise ConfigError(
            f"{SWEEPER_KEY}.search_space is the form of Hydra 1.1; write the ranges under {SWEEPER_KEY}.params, such "
            f"as '+{SWEEPER_KEY}.params={{model.estimator.max_depth: \"range(2,9)\"}}'."
        )


def _check_sampler(settings: SweepSettings) -> None:
    name = str(settings.sampler.get("_target_")).rpartition(".")[2]
    if name == REMOVED_SAMPLER:
        raise ConfigError(
            f"hydra/sweeper/sampler=motpe: Optuna has no {name} any more; choose hydra/sweeper/sampler=tpe, which "
            "takes several objectives as well."
        )
    package = SAMPLER_PACKAGES.get(str(settings.sampler.get("_target_")))
    if package is not None and find_spec(package) is None:
        raise ConfigError(
            f"hydra/sweeper/sampler: {name} needs the package {package}, which is not installed; run pip install "
            f"{package}, or choose tpe."
        )

"""Read `hydra.sweeper` and the ranges of a search over the function of another Hydra program.

The keys mean what they mean for the official plugin; what only a search of mlrunner has is refused.
"""

from __future__ import annotations

import warnings
from typing import Any

from omegaconf import DictConfig
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from mlrunner.core.errors import ConfigError
from mlrunner.search import settings, sweeper_config
from mlrunner.search.dimension import Dimension
from mlrunner.search.distributions import encode_choice, write_override
from mlrunner.search.settings import SweepSettings
from mlrunner.search.space import Space
from mlrunner.search.space_reader import read_overrides
from mlrunner.tracking.studies import SWEEPER_KEY

# Keys of the official plugin.
COMMON_KEYS = {
    *("sampler", "direction", "storage", "study_name", "n_trials", "n_jobs", "max_failure_rate", "params"),
    "custom_search_space",
}
FAILURE_RATE = 0.0  # of the official plugin


def read_function_settings(config: DictConfig) -> tuple[SweepSettings, list[Dimension]]:
    """Read and check the values of `hydra.sweeper`.

    Returns:
        The settings, and the ranges of `search_space`, the form of Hydra 1.1.

    Raises:
        ConfigError: When two plugins have the chosen name, or a key works only in a search of mlrunner.
        ProblemsError: When values are not possible.
    """
    _refuse_ambiguity(config)
    values = settings.read_values(config)
    ranges = values.pop("search_space", None)
    checked = settings.check_values(values, FAILURE_RATE)
    defaults = sweeper_config.OptunaSweeperConf()
    names = set(SweepSettings.model_fields) - COMMON_KEYS - {"pruner"}
    own = [name for name in sorted(names) if getattr(checked, name) != getattr(defaults, name)]
    if own or checked.has_pruner:
        keys = ", ".join(f"{SWEEPER_KEY}.{name}" for name in [*own, *["pruner"] * checked.has_pruner])
        raise ConfigError(f"{keys}: only mlrunner's own searches have this; leave it out in another program.")
    return checked, _read_search_space(ranges, bool(checked.params))


def read_function_space(
    checked: SweepSettings, ranges: list[Dimension], arguments: list[str], loader: Any = None
) -> Space:
    """Read the search space: the command line wins over `params`.

    Args:
        checked: Settings of the sweep.
        ranges: Ranges of `search_space`.
        arguments: Overrides of the command line.
        loader: Hydra's config loader, which `glob(…)` needs.
    """
    texts = [write_override(key, value) for key, value in (checked.params or {}).items()]
    dimensions, fixed = read_overrides([*texts, *arguments], loader)
    assigned = {*fixed, *(key for dimension in dimensions for key in dimension.keys)}
    older = [dimension for dimension in ranges if not assigned.intersection(dimension.keys)]
    return Space(tuple((text, None) for text in fixed.values()), (*older, *dimensions), "")


def list_directions(checked: SweepSettings) -> list[settings.Direction]:
    """List the directions; null minimizes."""
    direction = checked.direction or "minimize"
    return [direction] if isinstance(direction, str) else direction


def count_trials(checked: SweepSettings, space: Space) -> int:
    """Count the trials of this session: `n_trials`, and in a grid at most its combinations.

    Raises:
        ConfigError: When nothing limits the number of trials.
    """
    combinations = len(space.grid()) if checked.is_grid else None
    limits = [limit for limit in (checked.n_trials, combinations) if limit is not None]
    if not limits:
        raise ConfigError(f"{SWEEPER_KEY}.n_trials is null, which only a grid allows; set it to a number.")
    return min(limits)


def _refuse_ambiguity(config: DictConfig) -> None:
    if sweeper_config.is_ambiguous(str(config.hydra.runtime.choices.get(sweeper_config.SWEEPER_GROUP))):
        raise ConfigError(
            "hydra/sweeper=optuna is offered by two installed plugins, the official one and mlrunner's; choose "
            f"hydra/sweeper={sweeper_config.OTHER_OPTION} or hydra/sweeper={sweeper_config.OUR_OPTION}, or uninstall "
            "one of them."
        )


def _read_search_space(ranges: dict[str, Any] | None, has_params: bool) -> list[Dimension]:
    """Read `search_space`, with a warning; where there are `params` as well, they alone count."""
    if ranges is None:
        return []
    if has_params:
        warnings.warn(
            f"Both {SWEEPER_KEY}.search_space and {SWEEPER_KEY}.params are set; only params are used.", stacklevel=1
        )
        return []
    warnings.warn(
        f"{SWEEPER_KEY}.search_space is the deprecated form of Hydra 1.1; write the ranges under {SWEEPER_KEY}.params, "
        "as range(…), interval(…) or choice(…).",
        stacklevel=1,
    )
    return [read_range(str(key), node) for key, node in ranges.items()]


def read_range(key: str, node: Any) -> Dimension:
    """Read a range with the keys `type`, and `choices` or `low`, `high`, `step` and `log`."""
    try:
        return Dimension(key, key, _read_distribution(**node), str(node))
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"{SWEEPER_KEY}.search_space.{key} is not a range ({error}); write it under {SWEEPER_KEY}.params, as "
            "range(…), interval(…) or choice(…)."
        ) from error


def _read_distribution(
    type: str,
    choices: list[Any] | None = None,
    low: float = 0,
    high: float = 0,
    step: float | None = None,
    log: bool = False,
) -> BaseDistribution:
    match type:
        case "categorical":
            return CategoricalDistribution(list(map(encode_choice, choices or [])))
        case "int":
            return IntDistribution(int(low), int(high), log=log, step=int(step or 1))
        case "float":
            return FloatDistribution(float(low), float(high), log=log, step=step)
    raise ValueError(f"type is {type}, but should be int, float or categorical")

"""Try known good compositions before the sampler's own: compositions from the user, or the best of an earlier sweep."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

from optuna import Study
from optuna.distributions import CategoricalDistribution, IntDistribution

from mlrunner.core.errors import ConfigError, nearest
from mlrunner.core.overrides import get_key
from mlrunner.core.typed_overrides import prepare_override
from mlrunner.search import earlier_sweep
from mlrunner.search.dimension import MODEL_GROUP, Dimension
from mlrunner.search.distributions import contains
from mlrunner.search.earlier_sweep import WARM_START_KEY
from mlrunner.search.grammar import parse_override, split_at_commas
from mlrunner.search.settings import SweepSettings
from mlrunner.search.space import Space
from mlrunner.search.trial_attributes import describe_default

Defaults = dict[str, dict[str, Any]]  # option or value by key, by model option
WARM_START = "warm_start"  # attribute of a study, and of each trial that it queued


def enqueue_warm_start(
    study: Study, warm_start: str | list[Any] | None, space: Space, home: Path, defaults: Defaults
) -> None:
    """Queue the compositions of `hydra.sweeper.warm_start`, once in the life of a study.

    Args:
        study: Study of the sweep.
        warm_start: Compositions, each a list of overrides or a text with commas; or the folder or name of an earlier
            sweep; None queues nothing.
        space: Search space of the sweep.
        home: Folder that holds `multirun/`.
        defaults: Default compositions of the models, for what a composition does not name.

    Raises:
        ConfigError: When a composition lies outside of the space, or there is no such sweep.
    """
    if warm_start is None or study.user_attrs.get(WARM_START):
        return
    for params in _read_compositions(warm_start, space, home, defaults):
        study.enqueue_trial(params, user_attrs={WARM_START: True, **_describe_default(params, space, defaults)})
    study.set_user_attr(WARM_START, str(warm_start))


def _describe_default(params: dict[str, Any], space: Space, defaults: Defaults) -> dict[str, Any]:
    """Describe a composition that is the default of its model, which is then not queued again."""
    model = space.get_model(params)
    is_default = params == list_params(space, model, defaults.get(model, {}))
    return describe_default(model, params) if is_default else {}


def check_warm_start(settings: SweepSettings, space: Space, home: Path, dataset: Mapping[str, Any]) -> None:
    """Check `hydra.sweeper.warm_start` before a sweep starts.

    Args:
        settings: Settings of the sweep.
        space: Search space of the sweep.
        home: Folder that holds `multirun/`.
        dataset: Config group `dataset` of the sweep, with its task.

    Raises:
        ConfigError: When `enqueue_warm_start` would raise one, the sweep is a grid, or the earlier sweep predicted
            something else.
    """
    if settings.warm_start is None:
        return
    if settings.is_grid:
        raise ConfigError(f"{WARM_START_KEY}: a grid tries every combination anyway; leave it out.")
    _read_compositions(settings.warm_start, space, home, {})
    if _names_sweep(settings.warm_start):
        earlier_sweep.refuse_unlike(settings.warm_start, home, dataset)


def _names_sweep(warm_start: str | list[Any]) -> TypeGuard[str]:
    return isinstance(warm_start, str) and "=" not in warm_start


def _read_compositions(
    warm_start: str | list[Any], space: Space, home: Path, defaults: Defaults
) -> list[dict[str, Any]]:
    """Read the parameters of each composition; what no longer fits of an earlier sweep is left out."""
    if _names_sweep(warm_start):
        best = earlier_sweep.read_results(warm_start, home).get("best_overrides") or []
        return [_read_params([str(text) for text in best], space, defaults, strict=False)]
    items = [warm_start] if isinstance(warm_start, str) else warm_start
    for item in items:
        if not isinstance(item, str | list):
            raise ConfigError(
                f"{WARM_START_KEY}: '{item}' is not a composition; write it like 'model=rf,cleaning=full'."
            )
    split = [split_at_commas(item) if isinstance(item, str) else [str(part) for part in item] for item in items]
    return [_read_params(texts, space, defaults, strict=True) for texts in split]


def _read_params(texts: list[str], space: Space, defaults: Defaults, strict: bool) -> dict[str, Any]:
    """Convert overrides to parameters, with the defaults for what they do not name.

    An override outside of the space is an error when `strict`, and otherwise left out.
    """
    values = _parse_values(texts)
    model = str(values.get(MODEL_GROUP, space.model if space.model in space.models else space.models[0]))
    fixed = {MODEL_GROUP: space.model} if space.model_dimension is None else {}
    fixed |= _parse_values([text for text, _ in space.fixed])
    dimensions = {key: dimension for dimension in space.list_dimensions(model) for key in dimension.keys}
    known = defaults.get(model, {})
    for key in [key for key, value in values.items() if not (key in fixed and _is_same(fixed[key], value))]:
        dimension = dimensions.get(key)
        if dimension is not None and find_param(dimension, known | values):
            continue
        if strict:
            raise ConfigError(_describe_outside(key, values[key], dimension, list(dimensions.values())))
        del values[key]
    return list_params(space, model, known | values)


def list_params(space: Space, model: str, values: dict[str, Any]) -> dict[str, Any]:
    """List the parameters of a model that set values; a dimension that has none of them is left out.

    Args:
        space: Search space.
        model: Model option.
        values: Option or value by key.
    """
    choice = next((params for option, params in space.model_choices if option == model), {})
    params = [find_param(dimension, values) for dimension in space.list_dimensions(model)]
    return {**choice, **{name: value for param in params for name, value in param.items()}}


def _parse_values(texts: list[str]) -> dict[str, Any]:
    """Parse overrides of single values, by key."""
    values = {}
    for override in [parse_override(prepare_override(text)) for text in texts]:
        if override.is_sweep_override():
            raise ConfigError(
                f"{WARM_START_KEY}: {override.input_line} has several values; write one composition for each."
            )
        values[get_key(override.get_key_element())] = override.value()
    return values


def _describe_outside(key: str, value: Any, dimension: Dimension | None, dimensions: list[Dimension]) -> str:
    if dimension is not None:
        return f"{WARM_START_KEY}: {key}={value} lies outside {dimension.text}; widen the range or change the value."
    keys = sorted({dimension.key for dimension in dimensions})
    return f"{WARM_START_KEY}: {key} is not searched; the dimensions are {', '.join(keys)}.{nearest(key, keys)}"


def find_param(dimension: Dimension, values: dict[str, Any]) -> dict[str, Any]:
    """Find the parameter of a dimension that sets the given values, by name; empty when no value fits."""
    distribution = dimension.distribution
    if isinstance(distribution, CategoricalDistribution):
        fitting = [
            choice for choice in distribution.choices if _sets(_parse_values(list(dimension.overrides(choice))), values)
        ]
        return {dimension.name: fitting[0]} if fitting else {}
    value = values.get(get_key(dimension.key))
    if not isinstance(value, int | float) or isinstance(value, bool) or not contains(distribution, value):
        return {}
    return {dimension.name: int(value) if isinstance(distribution, IntDistribution) else float(value)}


def _sets(choice: dict[str, Any], values: dict[str, Any]) -> bool:
    return all(key in values and _is_same(value, values[key]) for key, value in choice.items())


def _is_same(value: Any, other: Any) -> bool:
    return bool(value == other) and isinstance(value, bool) == isinstance(other, bool)

"""Read a search space from its three sources.

The command line wins over `hydra.sweeper.params`, which wins over the models' own `search:`. A key that a source fixes
leaves the space. Within one source the last override of a key counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from mlrunner.core.errors import ConfigError
from mlrunner.core.overrides import get_key, quote_choices
from mlrunner.core.sorted_ranges import write_sorted_ranges
from mlrunner.core.typed_overrides import prepare_override
from mlrunner.search.dimension import MODEL_GROUP, Dimension
from mlrunner.search.distributions import encode_choice, write_override
from mlrunner.search.exclusion import read_exclusions
from mlrunner.search.grammar import ZIP_OVERRIDE, parse_override, read_dimension, read_zip, refuse_seeds
from mlrunner.search.settings import SweepSettings
from mlrunner.search.space import Space

SINGLE_CHOICE = re.compile(r"(?P<key>model\.[\w.]+)=choice\((?P<value>[\w.+-]+)\)")
Models = Mapping[str, Mapping[str, Any]]  # model option to its unresolved group


def read_space(
    arguments: list[str],
    settings: SweepSettings,
    compose_models: Callable[[list[str], list[str]], Models],
    loader: Any = None,
) -> Space:
    """Read the space from the command line, `hydra.sweeper.params` and the models' own `search:`.

    Args:
        arguments: Overrides of the command line.
        settings: Settings of the sweep; a grid does not use the models' own `search:`.
        compose_models: Function of the fixed overrides and a list of model options that returns the group of each
            option; an empty list stands for the option that the overrides choose.
        loader: Hydra's config loader, which `glob(…)` needs; None where no glob is possible.

    Raises:
        ConfigError: When a range or an exclusion is not valid, or no model has its key.
    """
    assignments = [_write_assignment(key, value) for key, value in (settings.params or {}).items()]
    dimensions, fixed = read_overrides(map(_fix_single, [*assignments, *arguments]), loader)
    chooser = next((dimension for dimension in dimensions if MODEL_GROUP in dimension.keys), None)
    models = compose_models(list(fixed.values()), _list_options(chooser))
    of_models = [dimension for dimension in dimensions if _is_of_models(dimension, models)]
    shared = [dimension for dimension in dimensions if dimension not in of_models]
    assigned_keys = {*fixed, *(key for dimension in dimensions for key in dimension.keys)}
    are_used = not settings.is_grid and f"~{MODEL_GROUP}.search" not in fixed.values()
    own: list[Dimension] = []
    for model, group in models.items():
        searched = _read_model_space(group, assigned_keys) if are_used else []
        searched += [dimension for dimension in of_models if _has_key(group, dimension.key)]
        own += [_assign_model(dimension, model, is_fixed=chooser is None) for dimension in searched]
    _refuse_unknown_keys(of_models, own, models)
    refuse_seeds([*dimensions, *own])
    limited = tuple((text, _list_models_with(key, models)) for key, text in fixed.items())
    for key in map(get_key, (match["key"] for match in map(SINGLE_CHOICE.fullmatch, arguments) if match is not None)):
        if key in fixed and _list_models_with(key, models) is None:
            raise ConfigError(_describe_unknown(key, fixed[key], models))
    shared.sort(key=lambda dimension: dimension is not chooser)
    return Space(limited, (*shared, *own), next(iter(models)), read_exclusions(settings.exclude))


def _list_options(chooser: Dimension | None) -> list[str]:
    """List the model options of the dimension that chooses the model; empty without one."""
    values = [] if chooser is None else chooser.values
    return list(dict.fromkeys(str(chooser.get_model(value)) for value in values if chooser is not None))


def _write_assignment(key: str, value: Any) -> str:
    """Write an entry of a YAML file as an override; a string is read in Hydra's grammar, other values as they are."""
    text = f"{key}={value}" if isinstance(value, str) else write_override(key, encode_choice(value))
    return quote_choices(write_sorted_ranges(text)) if ZIP_OVERRIDE.fullmatch(text) else prepare_override(text)


def read_overrides(texts: Iterable[str], loader: Any) -> tuple[list[Dimension], dict[str, str]]:
    """Read the dimensions, and the fixed overrides by key; a later override of a key replaces an earlier one."""
    dimensions: dict[str, Dimension] = {}
    fixed: dict[str, str] = {}
    for text in texts:
        dimension, keys = _read_override(text, loader)
        for key in keys:
            fixed.pop(key, None)
            shortened = {name: earlier.without(key) for name, earlier in dimensions.items()}
            dimensions = {name: earlier for name, earlier in shortened.items() if earlier is not None}
        if dimension is None:
            fixed[keys[0]] = text
        else:
            dimensions.pop(dimension.name, None)
            dimensions[dimension.name] = dimension
    return list(dimensions.values()), fixed


def _fix_single(text: str) -> str:
    """Write a choice of one value, as `hydra_app` passes a key of one of several models, as a fixed override."""
    match = SINGLE_CHOICE.fullmatch(text)
    return text if match is None else f"{match['key']}={match['value']}"


def _read_override(text: str, loader: Any) -> tuple[Dimension | None, tuple[str, ...]]:
    """Read a dimension, or None where the override fixes a value, and the keys that it sets."""
    zipped = read_zip(text, loader)
    if zipped is not None:
        return zipped, zipped.keys
    override = parse_override(text, loader)
    dimension = read_dimension(override) if override.is_sweep_override() else None
    return dimension, (get_key(override.get_key_element()),)


def _is_of_models(dimension: Dimension, models: Models) -> bool:
    """Check whether a range applies only to the models that have its key; an added key applies to all models."""
    if dimension.rows is not None or not get_key(dimension.key).startswith(f"{MODEL_GROUP}."):
        return False
    if dimension.key.startswith("++"):
        return any(_has_key(group, dimension.key) for group in models.values())
    return not dimension.key.startswith("+")


def _read_model_space(group: Mapping[str, Any], assigned_keys: set[str]) -> list[Dimension]:
    """Read a model's own `search:` without the keys that another source sets."""
    ranges = {f"{MODEL_GROUP}.{key}": value for key, value in (group.get("search") or {}).items()}
    return [
        read_dimension(parse_override(_write_assignment(key, value)))
        for key, value in ranges.items()
        if key not in assigned_keys
    ]


def _assign_model(dimension: Dimension, model: str, is_fixed: bool) -> Dimension:
    """Assign a dimension to a model; its name is prefixed, because models give one key different ranges."""
    return dimension if is_fixed else replace(dimension, model=model, name=f"{model}:{dimension.key}")


def _has_key(group: Mapping[str, Any], key: str) -> bool:
    node: Any = group
    for part in key.split(".")[1:]:
        if not isinstance(node, Mapping) or part not in node:
            return False
        node = node[part]
    return True


def _list_models_with(key: str, models: Models) -> tuple[str, ...] | None:
    """List the models that a fixed key applies to; None for all, also where no model has it and Hydra refuses it."""
    if not key.startswith(f"{MODEL_GROUP}."):
        return None
    able = tuple(model for model, group in models.items() if _has_key(group, key))
    return able or None


def _refuse_unknown_keys(of_models: list[Dimension], own: list[Dimension], models: Models) -> None:
    keys = {dimension.key for dimension in own}
    for dimension in of_models:
        if dimension.key not in keys:
            raise ConfigError(_describe_unknown(dimension.key, f"{dimension.key}={dimension.text}", models))


def _describe_unknown(key: str, text: str, models: Models) -> str:
    return f"{text}: {key} is not a key of {' or '.join(models)}; correct it, or add it with +{key}."

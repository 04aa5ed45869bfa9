"""Read what a search varies.

The least of the sources is a model's own `search:`, then comes `hydra.sweeper.params`, then the command line:
what is fixed there leaves the space, what is widened wins. Of one source the last that is said of a key counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mlrunner.core.errors import ConfigError
from mlrunner.core.overrides import quote_choices, quote_option
from mlrunner.search.distributions import encoded, written
from mlrunner.search.grammar import MODEL, ZIP, Dimension, dimension, identity, parse, zipped
from mlrunner.search.space import Space, exclusions

Models = Mapping[str, Mapping[str, Any]]  # option to its group


def read(
    typed: list[str],
    params: Mapping[str, Any],
    models_of: Callable[[list[str], list[str]], Models],
    searched: bool,
    loader: Any,
    exclude: list[str],
) -> Space:
    """Read the space from the command line, `hydra.sweeper.params` and the models' own `search:`.

    Args:
        typed: The overrides of the command line.
        params: `hydra.sweeper.params`.
        models_of: Composes, with the fixed overrides, the group of each of some model options; an empty list asks for
            the one that is chosen then.
        searched: Whether the models' own spaces count; they do not in a grid.
        loader: Hydra's, for `glob`.
        exclude: `hydra.sweeper.exclude`.

    Raises:
        ConfigError: When a range is none, or no model has a key.
    """
    found, fixed = _last([*(assigned(key, value) for key, value in params.items()), *typed], loader)
    chooser = next((one for one in found if MODEL in one.keys), None)
    options = [] if chooser is None else [str(chooser.model_of(value)) for value in chooser.values]
    models = models_of(list(fixed.values()), list(dict.fromkeys(options)))
    keyed = [one for one in found if _is_keyed(one, models)]
    shared = sorted((one for one in found if one not in keyed), key=lambda one: one is not chooser)
    taken = {*fixed, *(key for one in found for key in one.keys)}
    searched = searched and f"~{MODEL}.search" not in fixed.values()
    own = [one for model, group in models.items() for one in _of_model(model, group, keyed, taken, searched)]
    named = [replace(one, model=None) if chooser is None else _named(one) for one in own]
    _refuse_homeless(keyed, named, models)
    told = tuple((text, _takers(key, models)) for key, text in fixed.items())
    return Space(told, (*shared, *named), next(iter(models)), exclusions(exclude))


def assigned(key: str, value: Any) -> str:
    """Write a key of a YAML file as an override; a text is in Hydra's grammar, anything else stands for itself."""
    text = f"{key}={value}" if isinstance(value, str) else written(key, encoded(value))
    return quote_choices(text) if ZIP.fullmatch(text) else quote_option(text)


def _last(texts: list[str], loader: Any) -> tuple[list[Dimension], dict[str, str]]:
    """Read the ranges, and by its key each fixed override; what is said later of a key replaces what was before."""
    found: dict[str, Dimension] = {}
    fixed: dict[str, str] = {}
    for text in texts:
        one, keys = _read(text, loader)
        for key in keys:
            fixed.pop(key, None)
            found = {name: left for name, each in found.items() if (left := each.without(key)) is not None}
        if one is None:
            fixed[keys[0]] = text
        else:
            found.pop(one.name, None)
            found[one.name] = one
    return list(found.values()), fixed


def _read(text: str, loader: Any) -> tuple[Dimension | None, tuple[str, ...]]:
    """Read a range, or none where the override fixes a value; and the keys that it sets."""
    together = zipped(text, loader)
    if together is not None:
        return together, together.keys
    override = parse(text, loader)
    one = dimension(override) if override.is_sweep_override() else None
    return one, (identity(override.get_key_element()),)


def _is_keyed(one: Dimension, models: Models) -> bool:
    """Tell whether a range is for the models that have its key; what is added to a model is for all."""
    if one.zipped is not None or not identity(one.key).startswith(f"{MODEL}."):
        return False
    if one.key.startswith("++"):
        return any(_has(group, one.key) for group in models.values())
    return not one.key.startswith("+")


def _of_model(
    model: str, group: Mapping[str, Any], keyed: list[Dimension], taken: set[str], searched: bool
) -> list[Dimension]:
    """Join a model's own space with what was said of its keys."""
    told = [one for one in keyed if _has(group, one.key)]
    own = {f"{MODEL}.{key}": value for key, value in (group.get("search") or {}).items()} if searched else {}
    kept = [dimension(parse(assigned(key, value))) for key, value in own.items() if key not in taken]
    return [replace(one, model=model) for one in (*kept, *told)]


def _named(one: Dimension) -> Dimension:
    """Put the model before a name, for models give the same key other ranges."""
    return replace(one, name=f"{one.model}:{one.key}")


def _has(group: Mapping[str, Any], key: str) -> bool:
    node: Any = group
    for part in key.split(".")[1:]:
        if not isinstance(node, Mapping) or part not in node:
            return False
        node = node[part]
    return True


def _takers(key: str, models: Models) -> tuple[str, ...] | None:
    """Name the models that a fixed key is for; all where it is no model's, or where Hydra shall refuse it."""
    if not key.startswith(f"{MODEL}."):
        return None
    able = tuple(model for model, group in models.items() if _has(group, key))
    return able or None


def _refuse_homeless(keyed: list[Dimension], own: list[Dimension], models: Models) -> None:
    housed = {one.key for one in own}
    for one in keyed:
        if one.key not in housed:
            raise ConfigError(
                f"{one.key}={one.told}: none of {', '.join(models)} has the key {one.key}; correct it, or add it on "
                f"purpose with +{one.key}."
            )

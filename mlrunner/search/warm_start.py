"""Known good compositions, tried before the sampler chooses: named by hand, or the best of an earlier sweep."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from optuna.distributions import CategoricalDistribution, IntDistribution

from mlrunner.core.errors import ConfigError, nearest
from mlrunner.core.overrides import quote_option
from mlrunner.search.grammar import MODEL, identity, parse, split
from mlrunner.search.results import NAME
from mlrunner.search.settings import SweepSettings
from mlrunner.tracking.studies import KEY

if TYPE_CHECKING:
    from optuna import Study

    from mlrunner.search.grammar import Dimension
    from mlrunner.search.space import Space

FROM = "warm_start"


def enqueue(study: Study, told: str | list[Any] | None, space: Space, home: Path) -> None:
    """Queue the compositions of `hydra.sweeper.warm_start`, once for each study.

    Args:
        study: That begins.
        told: Compositions as lists of overrides or as texts with commas; or the folder or name of an earlier sweep.
        space: What the search varies.
        home: The folder that holds `multirun/`.

    Raises:
        ConfigError: When a composition lies outside the space, or there is no such sweep.
    """
    if told is None or study.user_attrs.get(FROM):
        return
    texts = [_earlier(told, home)] if isinstance(told, str) and "=" not in told else _texts(told)
    found = [_params(text, space, strict=not isinstance(told, str) or "=" in told) for text in texts]
    for params in found:
        study.enqueue_trial(params, user_attrs={FROM: True})
    study.set_user_attr(FROM, str(told))


def check(settings: SweepSettings, space: Space, home: Path) -> None:
    """Refuse what `enqueue` would refuse, before anything is begun.

    Raises:
        ConfigError: See `enqueue`; and a warm start of a grid, which tries every combination anyway.
    """
    told = settings.warm_start
    if told is not None and settings.is_grid:
        raise ConfigError(f"{KEY}.warm_start: a grid tries every combination anyway; leave it out.")
    if isinstance(told, str) and "=" not in told:
        _earlier(told, home)
    elif told is not None:
        for text in _texts(told):
            _params(text, space, strict=True)


def _texts(told: str | list[Any]) -> list[list[str]]:
    listed = [told] if isinstance(told, str) else told
    return [split(one) if isinstance(one, str) else [str(part) for part in one] for one in listed]


def _earlier(name: str, home: Path) -> list[str]:
    """Find the best overrides of an earlier sweep."""
    file = next((one / NAME for one in folders(name, home) if (one / NAME).exists()), None)
    if file is None:
        raise ConfigError(
            f"{KEY}.warm_start={name} is no finished sweep; name its folder, or compositions such as "
            "['model=rf,model.estimator.max_depth=8']."
        )
    best = yaml.safe_load(file.read_text()).get("best_overrides") or []
    return [str(text) for text in best]


def folders(name: str, home: Path) -> Iterator[Path]:
    """Guess where a sweep lies: a path, its day and time below `multirun/`, or its time alone."""
    yield Path(name)
    yield home / "multirun" / name
    yield from sorted((home / "multirun").glob(f"*/{name}"), reverse=True)


def _params(texts: list[str], space: Space, strict: bool) -> dict[str, Any]:
    """Read overrides as parameters of the search.

    Args:
        texts: The overrides.
        space: What the search varies.
        strict: Refuse what lies outside, and do not pass it over.
    """
    told = _values(texts)
    model = str(told.get(MODEL, space.model))
    given = {**({} if space.chooser else {MODEL: space.model}), **_values([text for text, _ in space.fixed])}
    known = {key: one for one in space.of(model) for key in one.keys}
    found: dict[str, Any] = {}
    for key, value in told.items():
        one = known.get(key)
        params = _param(one, told) if one is not None else {}
        found |= params
        if strict and not params and not (key in given and one is None and _is_same(given[key], value)):
            raise ConfigError(_outside(key, value, one, sorted({each.key for each in known.values()})))
    return found


def _values(texts: list[str]) -> dict[str, Any]:
    """Read what overrides set, by their keys."""
    found = {}
    for override in [parse(quote_option(text)) for text in texts]:
        if override.is_sweep_override():
            raise ConfigError(
                f"{KEY}.warm_start: {override.input_line} names several values; write a composition for each."
            )
        found[identity(override.get_key_element())] = override.value()
    return found


def _outside(key: str, value: Any, one: Dimension | None, known: list[str]) -> str:
    if one is None:
        return f"{KEY}.warm_start: {key} is not searched; the dimensions are {', '.join(known)}.{nearest(key, known)}"
    return f"{KEY}.warm_start: {key}={value} lies outside {one.told}; widen the range or change the value."


def _param(one: Dimension, told: dict[str, Any]) -> dict[str, Any]:
    """Give the parameter of a dimension that has the values which were told; none where it has no such."""
    found = one.distribution
    if isinstance(found, CategoricalDistribution):
        fitting = [choice for choice in found.choices if _fits(_values(list(one.overrides(choice))), told)]
        return {one.name: fitting[0]} if fitting else {}
    value = told[identity(one.key)]
    if not isinstance(value, int | float) or isinstance(value, bool) or not found._contains(float(value)):
        return {}
    return {one.name: int(value) if isinstance(found, IntDistribution) else float(value)}


def _fits(choice: dict[str, Any], told: dict[str, Any]) -> bool:
    return all(key in told and _is_same(value, told[key]) for key, value in choice.items())


def _is_same(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)

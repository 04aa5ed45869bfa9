"""What a search varies, what it leaves alone, and which combinations it does not try.

The least of the sources is a model's own `search:`, then comes `hydra.sweeper.params`, then the command line:
what is fixed there leaves the space, what is widened wins.
"""

from __future__ import annotations

import fnmatch
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)

from mlrunner.errors import ConfigError
from mlrunner.sweep.grammar import Dimension, dimension, parse, split, zipped
from mlrunner.sweep.settings import KEY

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override
    from optuna.trial import Trial

MODEL = "model"
Models = Mapping[str, Mapping[str, Any]]  # option to its group


@dataclass(frozen=True)
class Space:
    """Dimensions and fixed overrides.

    Args:
        fixed: The overrides that every trial has, with the models that they are for; None: all.
        dimensions: Those without a model first.
        model: The model option where none is searched.
        exclude: Conjunctions of overrides.
    """

    fixed: tuple[tuple[str, tuple[str, ...] | None], ...]
    dimensions: tuple[Dimension, ...]
    model: str
    exclude: tuple[tuple[str, ...], ...] = ()

    def chosen(self, params: Mapping[str, Any]) -> str:
        """Name the model of a trial."""
        return str(params.get(MODEL, self.model))

    def of(self, model: str) -> list[Dimension]:
        """List the dimensions that a model has."""
        return [one for one in self.dimensions if one.model in (None, model)]

    def suggest(self, trial: Trial) -> tuple[str, ...]:
        """Let Optuna choose a value for each dimension of the model that it chooses first.

        Returns:
            The overrides of the trial.
        """
        params: dict[str, Any] = {}
        for one in self.dimensions:
            if one.model in (None, self.chosen(params)):
                params[one.name] = draw(trial, one.name, one.distribution)
        return self.overrides(trial.params)

    def overrides(self, params: Mapping[str, Any]) -> tuple[str, ...]:
        """Write the parameters of a trial as overrides; those of a `custom_search_space` are keys themselves."""
        model = self.chosen(params)
        known = {one.name: one for one in self.dimensions}
        varied = [
            text
            for name, value in params.items()
            for text in (known[name].overrides(value) if name in known else (f"{name}={value}",))
        ]
        return (*self.fixed_for(model), *varied)

    def fixed_for(self, model: str) -> tuple[str, ...]:
        """List the fixed overrides that a model takes."""
        return tuple(text for text, models in self.fixed if models is None or model in models)

    def excludes(self, overrides: tuple[str, ...]) -> bool:
        """Tell whether a combination is not to be tried."""
        return any(all(any(_matches(text, rule) for text in overrides) for rule in rules) for rules in self.exclude)

    def grid(self) -> list[dict[str, Any]]:
        """List every combination, the last dimension fastest; only the values of the chosen model."""
        return [params for params in self._product() if not self.excludes(self.overrides(params))]

    def _product(self) -> Iterator[dict[str, Any]]:
        for model in self.models:
            found = [one for one in self.of(model) if one.name != MODEL]
            head = {MODEL: model} if MODEL in {one.name for one in self.dimensions} else {}
            for values in itertools.product(*[one.values for one in found]):
                yield head | dict(zip([one.name for one in found], values, strict=True))

    @property
    def models(self) -> list[str]:
        """List the model options that are searched."""
        searched = [one for one in self.dimensions if one.name == MODEL]
        return [str(value) for value in searched[0].values] if searched else [self.model]

    @property
    def size(self) -> float:
        """Count the combinations; infinite where a range has no end of values."""
        counts = [math.prod(_count(one) for one in self.of(model) if one.name != MODEL) for model in self.models]
        return math.fsum(counts)

    def describe(self) -> dict[str, Any]:
        """Describe the space for a later comparison."""
        return {
            "fixed": [text for text, _ in self.fixed],
            "dimensions": {one.name: distribution_to_json(one.distribution) for one in self.dimensions},
            "exclude": [",".join(rules) for rules in self.exclude],
        }


def draw(trial: Trial, name: str, found: BaseDistribution) -> Any:
    """Ask Optuna for a value of a distribution."""
    if isinstance(found, IntDistribution):
        return trial.suggest_int(name, found.low, found.high, step=found.step, log=found.log)
    if isinstance(found, FloatDistribution):
        return trial.suggest_float(name, found.low, found.high, step=found.step, log=found.log)
    return trial.suggest_categorical(name, found.choices) if isinstance(found, CategoricalDistribution) else None


def _matches(text: str, rule: str) -> bool:
    key, _, value = text.partition("=")
    wanted, _, pattern = rule.partition("=")
    return key.lstrip("+") == wanted and fnmatch.fnmatchcase(value, pattern)


def _count(one: Dimension) -> float:
    try:
        return len(one.values)
    except ConfigError:
        return math.inf


def read(
    typed: list[str],
    params: Mapping[str, Any],
    models_of: Callable[[list[str]], Models],
    searched: bool,
    loader: Any,
    exclude: list[str],
) -> Space:
    """Read the space from the command line, `hydra.sweeper.params` and the models' own `search:`.

    Args:
        typed: The overrides of the command line.
        params: `hydra.sweeper.params`.
        models_of: Composes the group of each of some model options; an empty list asks for the default one.
        searched: Whether the models' own spaces count; they do not in a grid.
        loader: Hydra's, for `glob`.
        exclude: `hydra.sweeper.exclude`.

    Raises:
        ConfigError: When a range is none, or no model has a key.
    """
    found: dict[str, Dimension] = {}
    fixed: dict[str, str] = {}
    for text in [*(f"{key}={value}" for key, value in params.items()), *typed]:
        one, override = _read(text, loader)
        key = one.name if one is not None else str(override and override.key_or_group)
        found.pop(key, None)
        fixed.pop(key, None)
        if one is not None:
            found[key] = one
        else:
            fixed[key] = text
    searches = MODEL in found
    searched = searched and f"~{MODEL}.search" not in fixed.values()
    models = models_of([str(value) for value in found[MODEL].values] if searches else [])
    shared = [one for one in found.values() if not one.key.startswith(f"{MODEL}.")]
    keyed = [one for one in found.values() if one.key.startswith(f"{MODEL}.")]
    own = [one for model, group in models.items() for one in _of_model(model, group, keyed, set(fixed), searched)]
    named = [_named(one) if searches else replace(one, model=None) for one in own]
    dimensions = (*sorted(shared, key=lambda one: one.name != MODEL), *named)
    _refuse_homeless(keyed, named, models)
    told = tuple((text, _takers(key, models)) for key, text in fixed.items())
    return Space(told, dimensions, next(iter(models)), exclusions(exclude))


def _read(text: str, loader: Any) -> tuple[Dimension | None, Override | None]:
    together = zipped(text, loader)
    if together is not None:
        return together, None
    override = parse(text, loader)
    return (dimension(override) if override.is_sweep_override() else None), override


def _of_model(
    model: str, group: Mapping[str, Any], keyed: list[Dimension], fixed: set[str], searched: bool
) -> list[Dimension]:
    """Join a model's own space with what the command line says of its keys."""
    told = {one.key: one for one in keyed if _has(group, one.key) or one.key.startswith("+")}
    own = {f"{MODEL}.{key}": value for key, value in (group.get("search") or {}).items()} if searched else {}
    kept = [dimension(parse(f"{key}={value}")) for key, value in own.items() if key not in told and key not in fixed]
    return [replace(one, model=model) for one in (*kept, *told.values())]


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


def exclusions(rules: list[str]) -> tuple[tuple[str, ...], ...]:
    """Read `hydra.sweeper.exclude`: each rule names combinations, such as `model=rf,cleaning=full`.

    Raises:
        ConfigError: When a part of a rule is no KEY=VALUE.
    """
    found = [tuple(split(rule)) for rule in rules]
    for rule, parts in zip(rules, found, strict=True):
        if not all("=" in part for part in parts):
            raise ConfigError(f"{KEY}.exclude: '{rule}' is no combination; write it like model=rf,cleaning=full.")
    return tuple(found)

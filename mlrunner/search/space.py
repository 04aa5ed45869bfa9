"""What a search varies, what it leaves alone, and which combinations it does not try."""

from __future__ import annotations

import fnmatch
import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)

from mlrunner.core.errors import ConfigError
from mlrunner.search.distributions import encoded, written
from mlrunner.search.grammar import MODEL, QUOTES, Dimension, identity, split
from mlrunner.tracking.studies import KEY

if TYPE_CHECKING:
    from optuna.trial import Trial


@dataclass(frozen=True)
class Space:
    """Dimensions and fixed overrides.

    Args:
        fixed: The overrides that every trial has, with the models that they are for; None: all.
        dimensions: The one that chooses the model first, then the others without a model.
        model: The model option where none is searched.
        exclude: Conjunctions of overrides.
    """

    fixed: tuple[tuple[str, tuple[str, ...] | None], ...]
    dimensions: tuple[Dimension, ...]
    model: str
    exclude: tuple[tuple[str, ...], ...] = ()

    @property
    def chooser(self) -> Dimension | None:
        """The dimension that chooses the model, which may be a zip."""
        return next((one for one in self.dimensions if MODEL in one.keys), None)

    @property
    def heads(self) -> list[tuple[str, dict[str, Any]]]:
        """List what chooses a model: the option, and the parameter for it; none where no model is searched."""
        one = self.chooser
        if one is None:
            return [(self.model, {})]
        return [(one.model_of(value) or self.model, {one.name: value}) for value in one.values]

    def chosen(self, params: Mapping[str, Any]) -> str:
        """Name the model of a trial."""
        one = self.chooser
        found = one.model_of(params[one.name]) if one is not None and one.name in params else None
        return found or self.model

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
            for text in (known[name].overrides(value) if name in known else (written(name, encoded(value)),))
        ]
        return (*self.fixed_for(model), *varied)

    def fixed_for(self, model: str) -> tuple[str, ...]:
        """List the fixed overrides that a model takes."""
        return tuple(text for text, models in self.fixed if models is None or model in models)

    def excludes(self, overrides: tuple[str, ...]) -> bool:
        """Tell whether a combination is not to be tried."""
        told = [*overrides, *([] if MODEL in map(identity, overrides) else [f"{MODEL}={self.model}"])]
        return any(all(any(_matches(text, rule) for text in told) for rule in rules) for rules in self.exclude)

    def grid(self) -> list[dict[str, Any]]:
        """List every combination, the last dimension fastest; only the values of the chosen model."""
        return [params for params in self._product() if not self.excludes(self.overrides(params))]

    def _product(self) -> Iterator[dict[str, Any]]:
        for model, head in self.heads:
            found = self.others(model)
            for values in itertools.product(*[one.values for one in found]):
                yield head | dict(zip([one.name for one in found], values, strict=True))

    def others(self, model: str) -> list[Dimension]:
        """List the dimensions that a model has beside the one that chooses it."""
        return [one for one in self.of(model) if one is not self.chooser]

    @property
    def models(self) -> list[str]:
        """List the model options that are searched."""
        return list(dict.fromkeys(model for model, _ in self.heads))

    @property
    def size(self) -> float:
        """Count the combinations; infinite where a range has no end of values."""
        return math.fsum(math.prod(map(_count, self.others(model))) for model, _ in self.heads)

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


def _count(one: Dimension) -> float:
    try:
        return len(one.values)
    except ConfigError:
        return math.inf


def exclusions(rules: list[str]) -> tuple[tuple[str, ...], ...]:
    """Read `hydra.sweeper.exclude`: each rule names combinations, such as `model=rf,cleaning=full`.

    Raises:
        ConfigError: When a part of a rule is no KEY=VALUE.
    """
    found = [tuple(split(rule)) for rule in rules]
    for rule, parts in zip(rules, found, strict=True):
        if not parts or not all("=" in part for part in parts):
            raise ConfigError(f"{KEY}.exclude: '{rule}' is no combination; write it like model=rf,cleaning=full.")
    return tuple(found)


def _matches(text: str, rule: str) -> bool:
    if identity(text) != identity(rule):
        return False
    values, patterns = (_spellings(one.partition("=")[2]) for one in (text, rule))
    return any(fnmatch.fnmatchcase(value, pattern) for value in values for pattern in patterns)


def _spellings(value: str) -> set[str]:
    """Spell a value as it is written, and as people may write it in a rule: without its quotes, and a truth as true."""
    if value in ("True", "False"):
        return {value.lower()}
    if len(value) > 1 and value[0] == value[-1] and value[0] in QUOTES:
        return {value, value[1:-1].replace(f"\\{value[0]}", value[0])}
    return {value}

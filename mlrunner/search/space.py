"""A search space: dimensions, fixed overrides and excluded combinations."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)
from optuna.trial import Trial

from mlrunner.core.errors import ConfigError
from mlrunner.core.overrides import get_key
from mlrunner.core.redaction import redact_override
from mlrunner.search import exclusion
from mlrunner.search.dimension import MODEL_GROUP, Dimension
from mlrunner.search.distributions import encode_choice, write_override


@dataclass(frozen=True)
class Space:
    """A search space.

    Args:
        fixed: Overrides of every trial, each with the model options that it applies to; None for all models.
        dimensions: First the dimension that chooses the model, then those of all models, then those of one model.
        model: Model option where no dimension chooses the model.
        exclude: Rules, each a conjunction of overrides, of combinations that are not tried.
    """

    fixed: tuple[tuple[str, tuple[str, ...] | None], ...]
    dimensions: tuple[Dimension, ...]
    model: str
    exclude: tuple[tuple[str, ...], ...] = ()

    @property
    def model_dimension(self) -> Dimension | None:
        """The dimension that chooses the model, which may be a zip; None when the model is fixed."""
        return next((dimension for dimension in self.dimensions if MODEL_GROUP in dimension.keys), None)

    @property
    def model_choices(self) -> list[tuple[str, dict[str, Any]]]:
        """Each model option with the parameter that chooses it; no parameter when the model is fixed."""
        dimension = self.model_dimension
        if dimension is None:
            return [(self.model, {})]
        return [(dimension.get_model(value) or self.model, {dimension.name: value}) for value in dimension.values]

    def get_model(self, params: Mapping[str, Any]) -> str:
        """Return the model option of a trial."""
        dimension = self.model_dimension
        if dimension is None or dimension.name not in params:
            return self.model
        return dimension.get_model(params[dimension.name]) or self.model

    def list_dimensions(self, model: str) -> list[Dimension]:
        """List the dimensions of a model, with those of all models."""
        return [dimension for dimension in self.dimensions if dimension.model in (None, model)]

    def list_others(self, model: str) -> list[Dimension]:
        """List the dimensions of a model except the one that chooses it."""
        return [dimension for dimension in self.list_dimensions(model) if dimension is not self.model_dimension]

    def suggest(self, trial: Trial, customize: Callable[[Trial], None] | None = None) -> tuple[str, ...]:
        """Let Optuna suggest the model first, then a value for each dimension of this model.

        Args:
            trial: Trial to suggest for.
            customize: Function of `hydra.sweeper.custom_search_space`, called last; None without one.

        Returns:
            The overrides of the trial.
        """
        params: dict[str, Any] = {}
        for dimension in self.dimensions:
            if dimension.model in (None, self.get_model(params)):
                params[dimension.name] = suggest_value(trial, dimension.name, dimension.distribution)
        if customize is not None:
            customize(trial)
        return self.overrides(trial.params)

    def overrides(self, params: Mapping[str, Any]) -> tuple[str, ...]:
        """Write the parameters of a trial as overrides; a parameter of a `custom_search_space` is named by its key."""
        dimensions = {dimension.name: dimension for dimension in self.dimensions}
        varied = [
            text
            for name, value in params.items()
            for text in (
                dimensions[name].overrides(value)
                if name in dimensions
                else (write_override(name, encode_choice(value)),)
            )
        ]
        return (*self.list_fixed(self.get_model(params)), *varied)

    def list_fixed(self, model: str) -> tuple[str, ...]:
        """List the fixed overrides that apply to a model."""
        return tuple(text for text, models in self.fixed if models is None or model in models)

    def excludes(self, overrides: tuple[str, ...]) -> bool:
        """Check whether a combination is excluded."""
        model = [] if MODEL_GROUP in map(get_key, overrides) else [f"{MODEL_GROUP}={self.model}"]
        return any(exclusion.matches([*overrides, *model], rule) for rule in self.exclude)

    def grid(self) -> list[dict[str, Any]]:
        """List every combination, the last dimension fastest; a model is combined with its own dimensions only."""
        return [params for params in self._product() if not self.excludes(self.overrides(params))]

    def _product(self) -> Iterator[dict[str, Any]]:
        for model, choice in self.model_choices:
            others = self.list_others(model)
            for values in itertools.product(*[dimension.values for dimension in others]):
                yield choice | dict(zip([dimension.name for dimension in others], values, strict=True))

    @property
    def models(self) -> list[str]:
        """The model options that are searched."""
        return list(dict.fromkeys(model for model, _ in self.model_choices))

    @property
    def size(self) -> float:
        """The number of combinations, excluded ones included; infinite with a continuous range."""
        return math.fsum(math.prod(map(_count, self.list_others(model))) for model, _ in self.model_choices)

    def describe(self) -> dict[str, Any]:
        """Describe the space as plain values, which a resumed sweep compares."""
        return {
            "fixed": [redact_override(text) for text, _ in self.fixed],
            "dimensions": {
                dimension.name: distribution_to_json(dimension.distribution) for dimension in self.dimensions
            },
            "exclude": [",".join(rule) for rule in self.exclude],
        }


def suggest_value(trial: Trial, name: str, distribution: BaseDistribution) -> Any:
    """Let Optuna suggest a value of a distribution.

    Raises:
        TypeError: When Optuna has a further kind of distribution.
    """
    match distribution:
        case IntDistribution(low=low, high=high, step=step, log=log):
            return trial.suggest_int(name, low, high, step=step, log=log)
        case FloatDistribution(low=lowest, high=highest, step=width, log=log):
            return trial.suggest_float(name, lowest, highest, step=width, log=log)
        case CategoricalDistribution(choices=choices):
            return trial.suggest_categorical(name, choices)
    raise TypeError(f"unknown distribution {distribution}")


def _count(dimension: Dimension) -> float:
    try:
        return len(dimension.values)
    except ConfigError:
        return math.inf

"""One dimension of a search space: the keys that it sets and the values that they take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from mlrunner.core.errors import ConfigError
from mlrunner.core.overrides import get_key
from mlrunner.search.distributions import round_to_step, write_override

MODEL_GROUP = "model"


@dataclass(frozen=True)
class Dimension:
    """One dimension of a search space.

    Args:
        name: Name of the Optuna parameter; a key that several models share is prefixed by the model option, as in
            `rf:model.estimator.x`.
        key: Left side of the override, with its `+` or `++`.
        distribution: Optuna distribution of the values.
        text: Range as the user wrote it.
        model: Model option that the dimension belongs to; None for all models.
        rows: Overrides that change together, by value of the parameter; None when the value belongs to `key` alone.
        is_falling: Whether a grid tries the values of a range from the highest, as `range(5,0,-2)` names them.
    """

    name: str
    key: str
    distribution: BaseDistribution
    text: str
    model: str | None = None
    rows: dict[str, tuple[str, ...]] | None = None
    is_falling: bool = False

    def overrides(self, value: Any) -> tuple[str, ...]:
        """Write a value as overrides."""
        if self.rows is not None:
            return self.rows[str(value)]
        if isinstance(self.distribution, FloatDistribution) and self.distribution.step is not None:
            value = round_to_step(self.distribution, value)
        return (write_override(self.key, value),)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that the dimension sets, without `+` or `++`."""
        texts = next(iter(self.rows.values())) if self.rows is not None else (self.key,)
        return tuple(get_key(text) for text in texts)

    def without(self, key: str) -> Dimension | None:
        """Remove a key; a zip keeps its other keys.

        Returns:
            The remaining dimension; None when it set no other key.
        """
        if self.rows is None:
            return None if get_key(self.key) == key else self
        shortened = [tuple(text for text in row if get_key(text) != key) for row in self.rows.values()]
        rows = {",".join(row): row for row in shortened if row}
        return replace(self, distribution=CategoricalDistribution(list(rows)), rows=rows) if rows else None

    def get_model(self, value: Any) -> str | None:
        """Return the model option that a value chooses; None when it chooses no model."""
        options = [text.partition("=")[2] for text in self.overrides(value) if get_key(text) == MODEL_GROUP]
        return options[0] if options else None

    @property
    def values(self) -> list[Any]:
        """All values in order, for a grid.

        Raises:
            ConfigError: When the range is continuous or logarithmic.
        """
        values = self._list_values()
        return values[::-1] if self.is_falling else values

    def _list_values(self) -> list[Any]:
        distribution = self.distribution
        if isinstance(distribution, CategoricalDistribution):
            return list(distribution.choices)
        if isinstance(distribution, IntDistribution) and not distribution.log:
            return list(range(distribution.low, distribution.high + 1, distribution.step))
        if isinstance(distribution, FloatDistribution) and distribution.step is not None:
            low, step = distribution.low, distribution.step
            count = round((distribution.high - low) / step) + 1
            return [round_to_step(distribution, low + place * step) for place in range(count)]
        raise ConfigError(
            f"{self.key}={self.text} has infinitely many values, so a grid cannot try them all; list some with "
            "choice(…) or range(…), or choose another hydra/sweeper/sampler."
        )

"""LightGBM's estimators with constraints that name columns; the library takes one direction for each feature."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

import lightgbm
import pandas as pd

from mlrunner.core.errors import ConfigError
from mlrunner.core.estimators import make_safe

MONOTONE, INTERACTION = ARGUMENTS = ("monotone_constraints", "interaction_constraints")


class NamedConstraints:
    """Fit on the positions of the named columns; the arguments keep the names, also in clones and in a saved model."""

    def fit(self, X: pd.DataFrame, y: Any, **options: Any) -> Self:
        """Fit the estimator on a table."""
        with self._at_positions(list(X.columns)):
            return super().fit(X, y, **options)  # type: ignore[misc, no-any-return]

    def predict(self, X: Any, **options: Any) -> Any:
        """Predict, without the arguments that the library reads while it fits only."""
        return super().predict(X, **dict.fromkeys(ARGUMENTS), **options)  # type: ignore[misc]

    @contextmanager
    def _at_positions(self, columns: Sequence[str]) -> Iterator[None]:
        constraints = {name: value for name, value in self.get_params().items() if name in ARGUMENTS}  # type: ignore[attr-defined]
        positions = {name: FINDERS[name](value, columns) for name, value in constraints.items() if value is not None}
        self.set_params(**positions)  # type: ignore[attr-defined]
        try:
            yield
        finally:
            self.set_params(**constraints)  # type: ignore[attr-defined]


class LGBMRegressor(NamedConstraints, lightgbm.LGBMRegressor):  # type: ignore[misc]
    """Regressor with constraints that name columns."""


class LGBMClassifier(NamedConstraints, lightgbm.LGBMClassifier):  # type: ignore[misc]
    """Classifier with constraints that name columns."""

    def predict_proba(self, X: Any, **options: Any) -> Any:  # type: ignore[override]
        """Predict probabilities, see `NamedConstraints.predict`."""
        return super().predict_proba(X, **{**dict.fromkeys(ARGUMENTS), **options})


BY_NAME: dict[type, type] = {lightgbm.LGBMRegressor: LGBMRegressor, lightgbm.LGBMClassifier: LGBMClassifier}


def list_directions(directions: Mapping[str, int], columns: Sequence[str]) -> list[int]:
    """Return the direction of each feature; 0 for one without a direction.

    Raises:
        ConfigError: When a named column is absent.
    """
    safe = {columns[_find(name, columns)]: int(direction) for name, direction in directions.items()}
    return [safe.get(name, 0) for name in columns]


def list_groups(groups: Sequence[Sequence[str]], columns: Sequence[str]) -> list[list[int]]:
    """Return the positions of the columns of each group; the columns that no group names are one more group.

    LightGBM would leave these out of the model, where XGBoost and scikit-learn use them.

    Raises:
        ConfigError: When a named column is absent.
    """
    positions = [[_find(name, columns) for name in group] for group in groups]
    rest = sorted(set(range(len(columns))) - {at for group in positions for at in group})
    return [*positions, *([rest] if rest else [])]


def _find(name: str, columns: Sequence[str]) -> int:
    if make_safe(name) not in columns:
        raise ConfigError(f"A constraint names '{name}', which is not a column of numbers of these rows.")
    return columns.index(make_safe(name))


FINDERS: dict[str, Any] = {MONOTONE: list_directions, INTERACTION: list_groups}

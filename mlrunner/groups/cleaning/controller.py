"""Controller of the config group `cleaning`: delegate the feature columns of a table to a strategy."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

import pandas as pd

from mlrunner.core.column_dtypes import normalize
from mlrunner.core.column_kinds import Kind, infer_kinds
from mlrunner.core.column_roles import Roles
from mlrunner.core.errors import DataError
from mlrunner.groups.cleaning.columns import drop_columns
from mlrunner.groups.strategy import CleaningStrategy, DataStrategy

S = TypeVar("S", bound=DataStrategy)


@dataclasses.dataclass(frozen=True)
class DataCleaning:
    """Controller that delegates the feature columns of a table to a strategy."""

    table: pd.DataFrame
    strategy: DataStrategy
    roles: Roles

    def handle_data(self) -> pd.DataFrame:
        """Clean the table.

        Returns:
            The cleaned features, then the unmodified target, group, time and weight columns that the table has. The
            index is that of the raw rows; rows without a target are left out.

        Raises:
            ConfigError: When the settings of the strategy contradict each other.
            DataError: When no row or no feature column is left.
        """
        table, strategy = self._select_rows(), resolve_strategy(self.strategy, self.table, self.roles)
        cleaned: pd.DataFrame = strategy.handle_data(select_inputs(table, self.roles))
        names = dict.fromkeys([self.roles.target, self.roles.group, self.roles.time, self.roles.weight])
        role_columns = [name for name in names if name is not None and name in table]
        features = drop_columns(cleaned, role_columns)
        _refuse_unsupported(features)
        if features.shape[1] == 0:
            remedy = (
                "cleaning=full keeps text too"
                if getattr(self.strategy, "keep_numeric", False)
                else "leave fewer out in cleaning.drop and dataset.ignore"
            )
            raise DataError(
                f"cleaning: none of the {table.shape[1]} columns is left as a feature "
                f"({', '.join(map(str, table.columns[:8]))}); {remedy}."
            )
        same_rows = features.index.equals(table.index)
        roles = table[role_columns] if same_rows else table.loc[features.index, role_columns]
        return pd.concat([features, normalize(roles)], axis=1)

    def _select_rows(self) -> pd.DataFrame:
        """Leave out the rows without a target, and those that the strategy leaves out."""
        strategy, table, target = self.strategy, self.table, self.roles.target
        if target in table:
            known = table[target].notna()
            if len(table) and not known.any():
                raise DataError(
                    f"dataset.target '{target}' is missing in each of the {len(table)} rows; name another column."
                )
            table = table if known.all() else table[known]
        return strategy.select_rows(table) if isinstance(strategy, CleaningStrategy) else table


def _refuse_unsupported(features: pd.DataFrame) -> None:
    names = [name for name, kind in infer_kinds(features).items() if kind is Kind.UNSUPPORTED]
    if names:
        raise DataError(
            f"Column '{names[0]}' holds {Kind.UNSUPPORTED.plural}, which cannot be a feature; leave it out with "
            f'"dataset.ignore=[{", ".join(names)}]".'
        )


def select_servable_inputs(table: pd.DataFrame, roles: Roles) -> pd.DataFrame:
    """Select the columns of `select_inputs` whose values a request can hold."""
    inputs = select_inputs(table, roles)
    return drop_columns(inputs, [name for name, kind in infer_kinds(inputs).items() if kind is Kind.UNSUPPORTED])


def resolve_strategy(strategy: S, table: pd.DataFrame, roles: Roles) -> S:
    """Resolve a cleaning strategy by the whole raw table; see `CleaningStrategy.resolve`."""
    if not isinstance(strategy, CleaningStrategy) or strategy.problems():
        return strategy
    return strategy.resolve(select_inputs(table, roles))


def select_inputs(table: pd.DataFrame, roles: Roles) -> pd.DataFrame:
    """Select the columns that a strategy may use: all but the target, the group, the weight and the ignored columns.

    The time column is included, unless it is ignored, because features are made of its dates; `DataCleaning` removes
    the column itself.
    """
    excluded = [name for name in (roles.target, roles.group, roles.weight) if name is not None and name != roles.time]
    return drop_columns(table, [*roles.ignore, *excluded])

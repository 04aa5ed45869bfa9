"""Assign the rows of a table to parts by group, stratum or time, for the config group `split`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from mlrunner.core.build import dataclass
from mlrunner.core.column_roles import Task, infer_task
from mlrunner.core.errors import ConfigError, nearest
from mlrunner.groups.cleaning.dates import read_moments
from mlrunner.groups.split.algorithms import (
    Codes,
    class_strata,
    number_units,
    quantile_strata,
    split_by_strata,
    split_randomly,
)
from mlrunner.groups.split.windows import cut_at_moments


class Counts(NamedTuple):
    """Counts that limit a division.

    Args:
        rows: Number of rows.
        groups: Number of different groups; None without a group column.
        smallest_class: Number of rows, or groups, of the rarest class; None for regression.
    """

    rows: int
    groups: int | None
    smallest_class: int | None


class Assignment(ABC):
    """Base of the ways to assign rows to parts."""

    @abstractmethod
    def counts(self, table: pd.DataFrame) -> Counts:
        """Count the rows and groups of a table, and the members of its rarest class."""

    @abstractmethod
    def relevant(self, counts: Counts) -> Counts:
        """Return the counts that limit this assignment, with None for the others."""

    @abstractmethod
    def parts(self, table: pd.DataFrame, shares: Sequence[float]) -> Codes:
        """Assign each row to a part.

        Args:
            table: Cleaned table with at least one row for each part.
            shares: Share of the rows of each part; they sum to 1.

        Returns:
            Part of each row, from 0.
        """

    def missing_settings(self) -> list[str]:
        """Return one sentence for each required setting that is null."""
        return []


@dataclass
class GroupAssignment(Assignment):
    """Assign rows at random, the rows of a group together.

    Args:
        seed: Random seed.
        group: Column whose rows stay together; None: each row by itself.
    """

    seed: Annotated[int, Field(ge=0)]
    group: str | None = None

    def counts(self, table: pd.DataFrame) -> Counts:
        """See `Assignment.counts`."""
        return Counts(len(table), self._groups(self._units(table)), None)

    def relevant(self, counts: Counts) -> Counts:
        """See `Assignment.relevant`."""
        return counts._replace(smallest_class=None, groups=None if self.group is None else counts.groups)

    def parts(self, table: pd.DataFrame, shares: Sequence[float]) -> Codes:
        """See `Assignment.parts`."""
        return split_randomly(self._units(table), shares, np.random.default_rng(self.seed))

    def _units(self, table: pd.DataFrame) -> Codes:
        return number_units(table, _require_column(table, "group", self.group))

    def _groups(self, units: Codes) -> int | None:
        return None if self.group is None else int(units.max(initial=-1)) + 1


@dataclass
class RequiredGroupAssignment(GroupAssignment):
    """Assign rows at random by groups; the group column is required."""

    def missing_settings(self) -> list[str]:
        """See `Assignment.missing_settings`."""
        message = "split.group is not set, but this split keeps groups together; name the column in dataset.group"
        return [f"{message}, or choose split=80_20 or split=kfold."] if self.group is None else []


@dataclass
class StratifiedAssignment(GroupAssignment):
    """Assign rows at random, with the same distribution of the target in each part and groups together.

    Args:
        target: Column to predict.
        task: Task; None: inferred from the target.
        bins: Number of quantile bins of a numeric target.
    """

    target: str
    task: Task | None = None
    bins: Annotated[int, Field(gt=0)] = 10

    def counts(self, table: pd.DataFrame) -> Counts:
        """See `Assignment.counts`."""
        units = self._units(table)
        classes = class_strata(units, self._values(table)) if self._is_by_class(table) else None
        smallest = None if classes is None else _smallest_class(classes)
        return Counts(len(table), self._groups(units), smallest)

    def relevant(self, counts: Counts) -> Counts:
        """See `Assignment.relevant`."""
        return counts._replace(groups=None if self.group is None else counts.groups)

    def parts(self, table: pd.DataFrame, shares: Sequence[float]) -> Codes:
        """See `Assignment.parts`."""
        units, values, rng = self._units(table), self._values(table), np.random.default_rng(self.seed)
        if self._is_by_class(table):
            return split_by_strata(units, class_strata(units, values), shares, rng, everywhere=True)
        most = int(min(shares) * (units.max(initial=0) + 1))  # with more bins, the smallest part would miss some
        strata = quantile_strata(units, values, max(1, min(self.bins, most)))
        return split_by_strata(units, strata, shares, rng, everywhere=False)

    def _values(self, table: pd.DataFrame) -> pd.Series:
        return table[_require_column(table, "target", self.target) or self.target]

    def _is_by_class(self, table: pd.DataFrame) -> bool:
        task: Task = self.task or infer_task(self._values(table))
        return task == "classification"


@dataclass
class TimeAssignment(Assignment):
    """Assign rows in order of time, the rows of a moment together.

    Args:
        time: Column that orders the rows; required.
        date_format: `strptime` format of the column; None reads ISO 8601.
    """

    time: str | None = None
    date_format: str | None = None

    def missing_settings(self) -> list[str]:
        """See `Assignment.missing_settings`."""
        message = "split.time is not set, but this split goes by time; name the column in dataset.time"
        return [f"{message}, or choose split=80_20."] if self.time is None else []

    def counts(self, table: pd.DataFrame) -> Counts:
        """See `Assignment.counts`."""
        return Counts(len(table), None, None)

    def relevant(self, counts: Counts) -> Counts:
        """See `Assignment.relevant`."""
        return Counts(counts.rows, None, None)

    def parts(self, table: pd.DataFrame, shares: Sequence[float]) -> Codes:
        """See `Assignment.parts`."""
        return cut_at_moments(self.read_times(table), shares, str(self.time))

    def read_times(self, table: pd.DataFrame) -> NDArray[Any]:
        """Read the moments of a table as timestamps or numbers, shape (n_rows,)."""
        return read_moments(table[_require_column(table, "time", self.time)], self.date_format)


def _require_column(table: pd.DataFrame, key: str, name: str | None) -> str | None:
    """Return a column's name, and refuse one that the cleaned table does not have."""
    if name is not None and name not in table:
        raise ConfigError(
            f"split.{key} is '{name}', but the cleaned table has no such column; set dataset.{key}."
            f"{nearest(name, table.columns)}"
        )
    return name


def _smallest_class(classes: Codes) -> int | None:
    return int(np.bincount(classes).min()) if len(classes) else None

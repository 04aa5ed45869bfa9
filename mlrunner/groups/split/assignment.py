"""By what the rows of a table are shared out: groups, strata or time; serves the config group `split`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from mlrunner.core.build import dataclass
from mlrunner.core.column_roles import Task, infer_task
from mlrunner.core.errors import ConfigError, DataError, nearest
from mlrunner.groups.cleaning.dates import moments_of
from mlrunner.groups.split.algorithms import (
    Codes,
    in_order,
    shuffled,
    strata_of_classes,
    strata_of_numbers,
    stratified,
    units_of,
)


class Counts(NamedTuple):
    """What decides whether a division is possible."""

    rows: int
    groups: int | None
    smallest_class: int | None


class Sharing(ABC):
    """One way to share rows out."""

    @abstractmethod
    def counts(self, table: pd.DataFrame) -> Counts:
        """Count what must not be torn apart, and the members of the rarest class."""

    @abstractmethod
    def relevant(self, counts: Counts) -> Counts:
        """Leave out the counts that do not limit this way of sharing."""

    @abstractmethod
    def parts(self, table: pd.DataFrame, shares: Sequence[float]) -> Codes:
        """Number the part of each row, from 0.

        Args:
            table: At least one row for each part.
            shares: Of the rows, part by part; they sum to 1.
        """

    def missing_settings(self) -> list[str]:
        """Name the settings that cannot be null here, a sentence each."""
        return []


@dataclass
class ByGroup(Sharing):
    """At random, the rows of one group together."""

    seed: int
    group: str | None = None

    def counts(self, table: pd.DataFrame) -> Counts:
        """Count rows and groups."""
        return Counts(len(table), self._groups(self._units(table)), None)

    def relevant(self, counts: Counts) -> Counts:
        """Leave out classes, and groups that are not kept together."""
        return counts._replace(smallest_class=None, groups=None if self.group is None else counts.groups)

    def parts(self, table: pd.DataFrame, shares: Sequence[float]) -> Codes:
        """Shuffle and cut."""
        return shuffled(self._units(table), shares, np.random.default_rng(self.seed))

    def _units(self, table: pd.DataFrame) -> Codes:
        return units_of(table, _present(table, "group", self.group))

    def _groups(self, units: Codes) -> int | None:
        return None if self.group is None else int(units.max(initial=-1)) + 1


@dataclass
class ByKnownGroup(ByGroup):
    """At random, and refused when there is no group to keep together."""

    def missing_settings(self) -> list[str]:
        """Refuse a group that is null."""
        told = "split.group is not set, but this split keeps groups together; name the column in dataset.group"
        return [f"{told}, or choose split=80_20 or split=kfold."] if self.group is None else []


@dataclass
class ByStratum(ByGroup):
    """At random, each class or range of the target alike; the rows of one group together."""

    target: str
    task: Task | None = None
    bins: int = 10

    def counts(self, table: pd.DataFrame) -> Counts:
        """Count rows, groups and, for classification, the members of the rarest class."""
        units = self._units(table)
        classes = strata_of_classes(units, self._values(table)) if self._is_by_class(table) else None
        smallest = None if classes is None else _smallest(classes)
        return Counts(len(table), self._groups(units), smallest)

    def relevant(self, counts: Counts) -> Counts:
        """Leave out groups that are not kept together."""
        return counts._replace(groups=None if self.group is None else counts.groups)

    def parts(self, table: pd.DataFrame, shares: Sequence[float]) -> Codes:
        """Shuffle and cut each stratum."""
        units, values, rng = self._units(table), self._values(table), np.random.default_rng(self.seed)
        if self._is_by_class(table):
            return stratified(units, strata_of_classes(units, values), shares, rng, everywhere=True)
        fair = int(min(shares) * (units.max(initial=0) + 1))  # bins so small would leave the smallest part out
        strata = strata_of_numbers(units, values, max(1, min(self.bins, fair)))
        return stratified(units, strata, shares, rng, everywhere=False)

    def _values(self, table: pd.DataFrame) -> pd.Series:
        return table[_present(table, "target", self.target) or self.target]

    def _is_by_class(self, table: pd.DataFrame) -> bool:
        task: Task = self.task or infer_task(self._values(table))
        return task == "classification"


@dataclass
class ByTime(Sharing):
    """In order of time, the rows of one moment together."""

    time: str | None = None
    date_format: str | None = None

    def missing_settings(self) -> list[str]:
        """Refuse a time that is null."""
        told = "split.time is not set, but this split goes by time; name the column in dataset.time"
        return [f"{told}, or choose split=80_20."] if self.time is None else []

    def counts(self, table: pd.DataFrame) -> Counts:
        """Count rows."""
        return Counts(len(table), None, None)

    def relevant(self, counts: Counts) -> Counts:
        """Leave out all but the rows."""
        return Counts(counts.rows, None, None)

    def parts(self, table: pd.DataFrame, shares: Sequence[float]) -> Codes:
        """Sort and cut."""
        moments = moments_of(table[_present(table, "time", self.time)], self.date_format)
        if (count := len(np.unique(moments))) < len(shares):
            raise DataError(
                f"split.time is '{self.time}', which has {count} different moments, but {len(shares)} parts "
                f"need one each; name a finer column in dataset.time or choose another split."
            )
        return in_order(moments, shares)


def _present(table: pd.DataFrame, key: str, name: str | None) -> str | None:
    """Refuse a column that did not come through the cleaning."""
    if name is not None and name not in table:
        raise ConfigError(
            f"split.{key} is '{name}', but the cleaned table has no such column; set dataset.{key}."
            f"{nearest(name, table.columns)}"
        )
    return name


def _smallest(classes: Codes) -> int | None:
    return int(np.bincount(classes).min()) if len(classes) else None

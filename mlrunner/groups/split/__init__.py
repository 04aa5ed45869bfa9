"""Config group `split`: which rows train, which choose between models, which judge.

Nothing before the gate reads the test rows. Every random option keeps the rows of one group on one side.
Same seed, same rows in the same order: same division.
"""

from __future__ import annotations

import dataclasses
from abc import abstractmethod

import numpy as np
import pandas as pd

from mlrunner.core.build import dataclass
from mlrunner.core.errors import ConfigError, DataError
from mlrunner.groups.split.assignment import ByGroup, ByKnownGroup, ByStratum, ByTime, Counts, Sharing
from mlrunner.groups.split.validation import (
    class_problems,
    completed,
    fewer_folds,
    fold_problems,
    part_problems,
    share_problems,
)
from mlrunner.groups.strategy import DataStrategy


@dataclasses.dataclass(frozen=True)
class Division:
    """A table's rows shared out: each is in one part, in the table's order, under its own index.

    `folds` tells for each row of `train` the fold, from 0, in which it validates; None without
    cross-validation. With it, `validation` has the columns and no row.
    """

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    folds: pd.Series | None = None


class DataDivideStrategy(DataStrategy):
    """Share the rows of a cleaned table out."""

    @abstractmethod
    def handle_data(self, table: pd.DataFrame) -> Division:
        """Divide a table.

        Args:
            table: A cleaned table, with the target, group and time columns that the settings name.

        Raises:
            ConfigError: When the settings are impossible for this table.
            DataError: When its rows do not allow the division.
        """

    @abstractmethod
    def problems(self, rows: int, groups: int | None, smallest_class: int | None) -> list[str]:
        """Say what makes the settings impossible for a table, a sentence each.

        Args:
            rows: How many there are.
            groups: How many different groups the group column has; None without one.
            smallest_class: How many rows, or groups, the rarest class has; None for regression.
        """


@dataclass
class HoldOut(DataDivideStrategy, Sharing):
    """Three parts by their shares of the rows; a null share takes the rest."""

    train: float | None
    validation: float | None
    test: float | None

    @property
    def shares(self) -> dict[str, float | None]:
        """The share of each part, in the order of the parts."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def problems(self, rows: int, groups: int | None, smallest_class: int | None) -> list[str]:
        """Check the settings, the shares, then that no part is empty."""
        wrong = self.missing_settings() + share_problems(self.shares)
        if wrong:
            return wrong
        limits = self.relevant(Counts(rows, groups, smallest_class))
        empty = part_problems(completed(self.shares), rows, limits.groups)
        return empty or class_problems(limits.smallest_class, 3, "train, validation and test")

    def handle_data(self, table: pd.DataFrame) -> Division:
        """Divide a table into train, validation and test."""
        _refuse(self.problems(*self.counts(table)))
        part = self.parts(table, list(completed(self.shares).values()))
        return Division(*(table[part == number] for number in range(3)))


@dataclass
class Folds(DataDivideStrategy, Sharing):
    """A test held out, and the rest shared into folds of equal size."""

    test: float
    folds: int

    def problems(self, rows: int, groups: int | None, smallest_class: int | None) -> list[str]:
        """Check the settings, the share, then that every fold gets its rows."""
        wrong = self.missing_settings() + share_problems({"test": self.test, "the rest": None})
        if wrong:
            return wrong
        limits = self.relevant(Counts(rows, groups, smallest_class))
        few = part_problems({"test": self.test}, rows, limits.groups)
        few = few or fold_problems(self.folds, self.test, rows, limits.groups)
        told = f"{self.folds} folds and the test"
        return few or class_problems(limits.smallest_class, self.folds + 1, told)

    def handle_data(self, table: pd.DataFrame) -> Division:
        """Hold the test out and number the folds of the rest."""
        _refuse(self.problems(*self.counts(table)))
        held_out = self.parts(table, [1 - self.test, self.test]) == 1
        rest = table[~held_out]
        self._refuse_few(self.counts(rest))
        fold = self.parts(rest, [1 / self.folds] * self.folds)
        folds = pd.Series(fold, index=rest.index, name="fold", dtype=np.int64)
        return Division(rest, table.iloc[:0], table[held_out], folds)

    def _refuse_few(self, left: Counts) -> None:
        """Refuse what only shows once the test is held out: large groups may leave few."""
        fewest = min(count for count in left if count is not None)
        if fewest < self.folds:
            raise DataError(
                f"split.folds is {self.folds}, but beside the test only {fewest} rows, groups or members "
                f"of the rarest class are left; {fewer_folds(fewest)}read more rows."
            )


@dataclass
class RandomDivide(ByGroup, HoldOut):
    """Train, validation and test at random."""


@dataclass
class StratifiedDivide(ByStratum, HoldOut):
    """Train, validation and test at random, the target alike in each."""


@dataclass
class GroupedDivide(ByKnownGroup, HoldOut):
    """Train, validation and test at random, by groups that must be named."""


@dataclass
class TimeOrderedDivide(ByTime, HoldOut):
    """The oldest rows train, the next validate, the newest test."""


@dataclass
class KFoldDivide(ByGroup, Folds):
    """A test and folds at random."""


@dataclass
class StratifiedKFoldDivide(ByStratum, Folds):
    """A test and folds at random, the target alike in each."""


@dataclass
class GroupedKFoldDivide(ByKnownGroup, Folds):
    """A test and folds at random, by groups that must be named."""


def _refuse(problems: list[str]) -> None:
    for problem in problems:
        raise ConfigError(problem)

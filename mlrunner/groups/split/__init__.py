"""Config group `split`: divide a table into training, validation and test rows.

Only the gate reads the test rows. Every random option keeps the rows of a group in one part. The same seed and the
same rows in the same order give the same division.
"""

from __future__ import annotations

import dataclasses
from abc import abstractmethod

import pandas as pd

from mlrunner.core.build import dataclass
from mlrunner.core.errors import DataError
from mlrunner.core.folds import mark_partition
from mlrunner.groups.split.assignment import (
    Assignment,
    Counts,
    GroupAssignment,
    RequiredGroupAssignment,
    StratifiedAssignment,
    TimeAssignment,
)
from mlrunner.groups.split.validation import (
    class_problems,
    complete_shares,
    fold_problems,
    part_problems,
    raise_first,
    share_problems,
    suggest_folds,
)
from mlrunner.groups.strategy import DataStrategy


@dataclasses.dataclass(frozen=True)
class Division:
    """Rows of a table by part, in the order and with the index of the table.

    Args:
        train: Training rows.
        validation: Validation rows; none with cross-validation.
        test: Test rows.
        folds: Table of folds with the index of `train`, see `core.folds`; None without cross-validation.
    """

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    folds: pd.DataFrame | None = None


class DataDivideStrategy(DataStrategy):
    """Base of the strategies that divide a cleaned table."""

    @abstractmethod
    def handle_data(self, table: pd.DataFrame) -> Division:
        """Divide a table.

        Args:
            table: Cleaned table with the target, group and time columns that the settings name.

        Raises:
            ConfigError: When the settings are impossible for the table.
            DataError: When the rows of the table do not allow the division.
        """

    @abstractmethod
    def problems(self, rows: int, groups: int | None, smallest_class: int | None) -> list[str]:
        """Return one sentence for each setting that is impossible for a table.

        Args:
            rows: Number of rows.
            groups: Number of different groups; None without a group column.
            smallest_class: Number of rows, or groups, of the rarest class; None for regression.
        """


@dataclass
class HoldOut(DataDivideStrategy, Assignment):
    """Divide a table into three parts by their shares of the rows.

    Args:
        train: Share of the training rows; None: the rest.
        validation: Share of the validation rows; None: the rest.
        test: Share of the test rows; None: the rest.
    """

    train: float | None
    validation: float | None
    test: float | None

    @property
    def shares(self) -> dict[str, float | None]:
        """Share of each part, in the order of the parts."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def problems(self, rows: int, groups: int | None, smallest_class: int | None) -> list[str]:
        """See `DataDivideStrategy.problems`."""
        problems = self.missing_settings() + share_problems(self.shares)
        if problems:
            return problems
        limits = self.relevant(Counts(rows, groups, smallest_class))
        empty = part_problems(complete_shares(self.shares), rows, limits.groups)
        return empty or class_problems(limits.smallest_class, 3, "train, validation and test")

    def handle_data(self, table: pd.DataFrame) -> Division:
        """See `DataDivideStrategy.handle_data`."""
        raise_first(self.problems(*self.counts(table)))
        part = self.parts(table, list(complete_shares(self.shares).values()))
        return Division(*(table[part == number] for number in range(3)))


@dataclass
class Folds(DataDivideStrategy, Assignment):
    """Hold out test rows and divide the rest into folds of equal size.

    Args:
        test: Share of the test rows.
        folds: Number of folds; at least 2.
    """

    test: float
    folds: int

    def problems(self, rows: int, groups: int | None, smallest_class: int | None) -> list[str]:
        """See `DataDivideStrategy.problems`."""
        problems = self.missing_settings() + share_problems({"test": self.test, "the rest": None})
        if problems:
            return problems
        limits = self.relevant(Counts(rows, groups, smallest_class))
        empty = part_problems({"test": self.test}, rows, limits.groups)
        empty = empty or fold_problems(self.folds, self.test, rows, limits.groups)
        parts = f"{self.folds} folds and the test"
        return empty or class_problems(limits.smallest_class, self.folds + 1, parts, self.folds)

    def handle_data(self, table: pd.DataFrame) -> Division:
        """See `DataDivideStrategy.handle_data`."""
        raise_first(self.problems(*self.counts(table)))
        held_out = self.parts(table, [1 - self.test, self.test]) == 1
        rest = table[~held_out]
        self._refuse_few(self.counts(rest))
        fold = self.parts(rest, [1 / self.folds] * self.folds)
        return Division(rest, table.iloc[:0], table[held_out], mark_partition(fold, rest.index))

    def _refuse_few(self, left: Counts) -> None:
        """Refuse too few rows beside the test, which only shows after the division: large groups may leave few."""
        fewest = min(count for count in left if count is not None)
        if fewest < self.folds:
            raise DataError(
                f"split.folds is {self.folds}, but beside the test only {fewest} rows, groups or members "
                f"of the rarest class are left; {suggest_folds(fewest)}read more rows."
            )


@dataclass
class RandomDivide(GroupAssignment, HoldOut):
    """Divide into train, validation and test at random."""


@dataclass
class StratifiedDivide(StratifiedAssignment, HoldOut):
    """Divide into train, validation and test at random, with the same distribution of the target in each."""


@dataclass
class GroupedDivide(RequiredGroupAssignment, HoldOut):
    """Divide into train, validation and test at random by groups; the group column is required."""


@dataclass
class TimeOrderedDivide(TimeAssignment, HoldOut):
    """Divide by time: the oldest rows train, the newest test."""


@dataclass
class KFoldDivide(GroupAssignment, Folds):
    """Divide into a test and folds at random."""


@dataclass
class StratifiedKFoldDivide(StratifiedAssignment, Folds):
    """Divide into a test and folds at random, with the same distribution of the target in each."""


@dataclass
class GroupedKFoldDivide(RequiredGroupAssignment, Folds):
    """Divide into a test and folds at random by groups; the group column is required."""

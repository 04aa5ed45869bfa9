"""Options of `split` with folds by time: each trains on older rows than those that it is scored on."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from mlrunner.core.build import dataclass
from mlrunner.core.errors import DataError
from mlrunner.core.folds import FINAL, HELD_OUT, UNUSED
from mlrunner.groups.split import DataDivideStrategy, Division
from mlrunner.groups.split.assignment import TimeAssignment
from mlrunner.groups.split.validation import fold_problems, part_problems, raise_first, share_problems
from mlrunner.groups.split.windows import Length, cut_at_moments, length_problems, mark_stops, select_window


@dataclass
class ExpandingDivide(TimeAssignment, DataDivideStrategy):
    """Hold out the newest rows as the test, and the rows before them fold by fold; each fold trains on all older rows.

    Args:
        test: Share of the test rows.
        folds: Number of folds; at least 2.
        validation_size: Number of rows that each fold holds out; None: half of the rows beside the test, divided by
            the number of folds.
        gap: Rows between the training rows and those held out, of each fold and of the test: a number, or a time span.
        max_train_size: Largest number of training rows, the newest, or their time span, of each fold and of the final
            model; None: all older rows.
    """

    test: float
    folds: int
    validation_size: Annotated[int, Field(gt=0)] | None = None
    gap: Length = 0
    max_train_size: Length | None = None

    def problems(self, rows: int, groups: int | None, smallest_class: int | None) -> list[str]:
        """See `DataDivideStrategy.problems`."""
        del groups, smallest_class
        problems = self.missing_settings() + share_problems({"test": self.test, "the rest": None})
        problems += length_problems("split.gap", self.gap, 0)
        problems += length_problems("split.max_train_size", self.max_train_size, 1)
        problems = problems or part_problems({"test": self.test}, rows, None)
        least = 2 if self.validation_size is None else 1  # half of the rows only train
        problems = problems or fold_problems(self.folds, self.test, rows, None, least)
        if problems:
            return problems
        older, gap = self.sizes(rows)[0], self.gap if isinstance(self.gap, int) else 0
        if older > 0:
            return [] if older > gap else [self._describe_empty(0, older)]
        beside = older + self.folds * (self.validation_size or 0)
        return [
            f"split.validation_size is {self.validation_size}, but {self.folds} folds of that size leave none of the "
            f"{beside} rows beside the test to train on; lower it or split.folds, or read more rows."
        ]

    def handle_data(self, table: pd.DataFrame) -> Division:
        """See `DataDivideStrategy.handle_data`."""
        raise_first(self.problems(len(table), None, None))
        times = self.read_times(table)
        self._refuse_spans_of_numbers(times)
        shares = [size / len(table) for size in self.sizes(len(table))]
        parts = cut_at_moments(times, shares, str(self.time))
        is_test = parts == self.folds + 1
        marks = pd.DataFrame(self._mark(times, parts), table.index, [*map(str, range(self.folds)), FINAL])
        return Division(table[~is_test], table.iloc[:0], table[is_test], marks[~is_test])

    def limit(self, first: int) -> Length | None:
        """Return the largest number of training rows of a fold, or their time span; None: no limit.

        Args:
            first: Number of the training rows of the first fold.
        """
        del first
        return self.max_train_size

    def sizes(self, rows: int) -> list[int]:
        """Return the number of rows before all folds, of those that each fold holds out, and of the test."""
        test = round(self.test * rows)
        held_out = (rows - test) // (2 * self.folds) if self.validation_size is None else self.validation_size
        return [rows - test - self.folds * held_out, *[held_out] * self.folds, test]

    def _mark(self, times: NDArray[Any], parts: NDArray[np.int64]) -> NDArray[np.int8]:
        """Mark the rows of each fold and of the final model, shape (n_rows, n_folds + 1); see `core.folds`."""
        order = np.argsort(times, kind="stable")
        times, parts = times[order], parts[order]
        starts = np.searchsorted(parts, range(1, self.folds + 2)).tolist()
        first = select_window(times, starts[0], self.gap, None)
        limit = self.limit(first.stop)
        marks = np.full((len(times), self.folds + 1), UNUSED, dtype=np.int8)
        for number, (start, end) in enumerate(pairwise([*starts, len(times)])):
            window = select_window(times, start, self.gap, limit)
            if window.start == window.stop:
                raise DataError(self._describe_empty(number, start))
            marks[order[window], number] = mark_stops(times[window], self.gap)
            marks[order[start:end], number] = HELD_OUT
        return marks

    def _describe_empty(self, number: int, older: int) -> str:
        name = "the final model" if number == self.folds else f"fold {number + 1} of {self.folds}"
        limit, advice = "", "lower split.gap, split.folds or split.validation_size, or read more rows"
        if self.max_train_size is not None:
            limit, advice = f" with split.max_train_size={self.max_train_size}", f"raise split.max_train_size, {advice}"
        return (
            f"{name} has no rows to train on: split.gap={self.gap}{limit} leaves none of {older} older rows; {advice}."
        )

    def _refuse_spans_of_numbers(self, times: NDArray[Any]) -> None:
        if np.issubdtype(times.dtype, np.datetime64):
            return
        for key, span in (("gap", self.gap), ("max_train_size", self.max_train_size)):
            if isinstance(span, str):
                raise DataError(
                    f"split.{key} is {span}, but '{self.time}' holds numbers and no dates; give a number of rows."
                )


@dataclass
class RollingDivide(ExpandingDivide):
    """Like `ExpandingDivide`, but `max_train_size=None` stands for as many training rows as the first fold has."""

    def limit(self, first: int) -> Length | None:
        """See `ExpandingDivide.limit`."""
        return first if self.max_train_size is None else self.max_train_size

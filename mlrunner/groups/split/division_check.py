"""Divide a table to see whether its rows allow it, and whether a classifier would train on a single class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from mlrunner.core.column_roles import Roles
from mlrunner.core.errors import MlrunnerError
from mlrunner.core.folds import FINAL, FIT, read_fold
from mlrunner.groups.split import DataDivideStrategy, Division, Folds, HoldOut, StratifiedDivide, StratifiedKFoldDivide
from mlrunner.groups.split.time_series import ExpandingDivide


@dataclass(frozen=True)
class DivisionCheck:
    """Check the division of a table.

    Args:
        table: Rows to divide, with the columns of the roles.
        roles: Roles of the columns.
        is_classification: Whether each fit needs rows of several classes.
        stops_early: Whether `model.early_stopping` keeps some training rows of each fold from a first fit.
    """

    table: pd.DataFrame
    roles: Roles
    is_classification: bool
    stops_early: bool = False

    def problems(self, split: DataDivideStrategy) -> Iterator[str]:
        """Yield a sentence when the rows do not allow the division, or leave a fit rows of a single class."""
        try:
            wrong = self._find(split)
        except MlrunnerError as error:
            yield str(error)
            return
        if wrong is not None:
            part, labels = wrong
            yield (
                f"split: {part} has {len(labels):,} rows to train on, all of class {str(labels.iloc[0])!r} of "
                f"'{self.roles.target}'; {self._advise(split)}."
            )

    def _find(self, split: DataDivideStrategy) -> tuple[str, pd.Series] | None:
        """Return what trains on a single class first, and its labels."""
        division = split.handle_data(self.table)
        fits = self._list_fits(division) if self.is_classification else ()
        return next(((name, labels) for name, labels in fits if labels.nunique() == 1), None)

    def _list_fits(self, division: Division) -> Iterator[tuple[str, pd.Series]]:
        """Yield what trains, and its labels."""
        labels, folds = division.train[self.roles.target], division.folds
        if folds is None:
            yield "the model", labels
            return
        for column in folds:
            name = "the final model" if column == FINAL else f"fold {int(str(column)) + 1} of {folds.shape[1] - 1}"
            fold = read_fold(folds[column])
            yield name, labels.iloc[fold.train]
            if self.stops_early:
                yield f"beside the rows of model.early_stopping, {name}", labels.iloc[fold.train[fold.marks == FIT]]

    def _advise(self, split: DataDivideStrategy) -> str:
        """Return the first change that gives each fit several classes."""
        if self.stops_early and replace(self, stops_early=False)._find(split) is None:
            return "set model.early_stopping=null"
        for advice, other in self._list_others(split):
            try:
                if self._find(other) is None:
                    return advice
            except MlrunnerError:
                continue  # the rows do not allow this one
        return "read more rows of the other classes"

    def _list_others(self, split: DataDivideStrategy) -> Iterator[tuple[str, DataDivideStrategy]]:
        """Yield changes to try; first those that still divide by time."""
        if isinstance(split, ExpandingDivide):
            size = split.sizes(len(self.table))[1]
            while size > 1:  # smaller folds leave more rows before the first
                size //= 2
                yield f"set split.validation_size={size}", replace(split, validation_size=size)
            yield "set split.max_train_size=null", replace(split, max_train_size=None)
        if isinstance(split, Folds | ExpandingDivide):
            for folds in dict.fromkeys((split.folds, 3, 2)):
                more = "" if folds == split.folds else f" split.folds={folds}"
                other = StratifiedKFoldDivide(test=split.test, folds=folds, **self._stratify())
                yield f"choose split=stratified_kfold{more}", other
        if isinstance(split, HoldOut):
            yield "choose split=stratified", StratifiedDivide(**(split.shares | self._stratify()))

    def _stratify(self) -> dict[str, Any]:
        return {"target": self.roles.target, "task": "classification", "group": self.roles.group, "seed": 0}

"""Folds of a cross-validation: the rows that each of them trains on, stops boosting on, and holds out.

A table of folds has the index of the training rows and a column for each fold, with the mark of each row. Its last
column, `final`, belongs to the model that is scored on the test rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNUSED, FIT, STOP, BETWEEN, HELD_OUT = range(5)  # FIT, STOP and BETWEEN are training rows
FINAL = "final"


class Fold(NamedTuple):
    """Positions of the rows of a fold, as scikit-learn's splitters yield them.

    Args:
        train: Positions of the training rows, shape (n_train,).
        held_out: Positions of the rows to score, shape (n_held_out,).
        marks: Marks of the training rows: to find the number of boosting rounds, those with FIT are fitted and those
            with STOP end it; BETWEEN are in the gap between them.
    """

    train: NDArray[np.intp]
    held_out: NDArray[np.intp]
    marks: NDArray[Any]


def read_fold(marks: pd.Series[int]) -> Fold:
    """Read a column of a table of folds."""
    values = marks.to_numpy()
    is_held_out = values == HELD_OUT
    is_train = ~is_held_out & (values != UNUSED)
    return Fold(np.flatnonzero(is_train), np.flatnonzero(is_held_out), values[is_train])


def list_folds(folds: pd.DataFrame) -> list[Fold]:
    """Read the folds that are scored; empty for an empty table."""
    return [read_fold(folds[name]) for name in folds if name != FINAL] if len(folds) else []


def select_final_rows(train: pd.DataFrame, folds: pd.DataFrame) -> pd.DataFrame:
    """Return the training rows of the model that is scored on the test rows: all, or those of the newest window."""
    if not len(folds):
        return train
    positions = read_fold(folds[FINAL]).train
    return train if len(positions) == len(train) else train.iloc[positions]


def select_held_out_rows(folds: pd.DataFrame) -> pd.DataFrame:
    """Return for each row that a fold holds out, and each fold, whether it does."""
    is_held_out = folds.drop(columns=FINAL) == HELD_OUT
    return is_held_out[is_held_out.any(axis=1)]


def compute_held_out_ratio(folds: pd.DataFrame) -> float:
    """Compute the ratio of held-out to training rows over all folds: 1 / (K - 1) for K-fold cross-validation."""
    scored = list_folds(folds)
    return sum(len(fold.held_out) for fold in scored) / sum(len(fold.train) for fold in scored)


def mark_partition(numbers: Any, index: pd.Index | None = None) -> pd.DataFrame:
    """Mark the folds of a partition: each trains on the rows of all others, the first of which stops boosting.

    Args:
        numbers: Fold of each row, shape (n_rows,).
        index: Index of the rows; None: from 0.
    """
    numbers = np.asarray(numbers)
    names = np.unique(numbers)
    marks = {}
    for fold in (*names, None):
        stop = next((name for name in names if name != fold), None) if len(names) > 1 else None
        column = np.where(numbers == stop, STOP, FIT)
        marks[FINAL if fold is None else str(fold)] = np.where(numbers == fold, HELD_OUT, column).astype(np.int8)
    return pd.DataFrame(marks, index=index)

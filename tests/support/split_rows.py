"""A cleaned table, split into parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mlrunner.core.column_roles import Roles
from mlrunner.core.folds import mark_partition
from mlrunner.evaluation.split_data import SplitData
from tests.support.samples import table

if TYPE_CHECKING:
    from mlrunner.core.column_roles import Task

ROLES = Roles("score", group="group", time="time")


def make_cleaned(task: Task, rows: int = 120) -> pd.DataFrame:
    """Make a cleaned table with target, group and time; the index does not start at 0."""
    features, target = table(rows)
    y_true = target if task == "regression" else (target > 0).map({True: "yes", False: "no"})
    days = pd.date_range("2024-01-01", periods=rows)
    whole = features.assign(score=y_true, group=np.arange(rows) // 2, time=days)
    return whole.set_axis(pd.RangeIndex(1_000, 1_000 + rows))


def split_rows(task: Task, folds: int = 0) -> SplitData:
    """Split 120 rows into 60, 30 and 30, or into 90 in folds and 30."""
    whole = make_cleaned(task)
    train = whole[:90] if folds else whole[:60]
    marks = mark_partition(np.arange(90) % folds, train.index) if folds else pd.DataFrame()
    return SplitData(train, whole[:0] if folds else whole[60:90], whole[90:], marks, ROLES)

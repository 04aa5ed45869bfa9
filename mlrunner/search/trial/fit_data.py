"""Load the rows of a fit and learn their features once for all trials that differ in the estimator only."""

from __future__ import annotations

import json
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from cachetools import LRUCache

from mlrunner.core.arrow import map_table_once
from mlrunner.core.folds import list_folds
from mlrunner.evaluation.scoring import identify_rows
from mlrunner.evaluation.split_data import select_features
from mlrunner.evaluation.weights import select_weight
from mlrunner.groups.model import EstimatorModel, Model
from mlrunner.search.trial import RepeatTask, TrialTask

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

CACHE_SIZE = 12  # two splits of five folds, and two to spare


@dataclass(frozen=True)
class FitData:
    """The rows of one fit.

    Args:
        front: Fitted steps before the estimator.
        train_weight: Weights of the training rows; None where all weigh the same.
        validation_weight: The same of the rows to score.
        raw_train: Training features before these steps.
        train: Training features after them; read-only.
        train_target: Target of the training rows.
        validation: Features of the rows to score, after these steps; read-only.
        validation_target: Target of the rows to score.
        validation_rows: Digest of the rows to score, and the group of each; None where there is no group column.
        marks: Marks of the training rows, see `core.folds`; None without folds.
    """

    front: Pipeline
    train_weight: Any
    validation_weight: Any
    raw_train: pd.DataFrame
    train: Any
    train_target: pd.Series[Any]
    validation: Any
    validation_target: pd.Series[Any]
    validation_rows: tuple[str, Any]
    marks: Any = None


class FitDataCache:
    """Keeps the data of the last fits of a process.

    Args:
        size: Maximum number of entries.
    """

    def __init__(self, size: int = CACHE_SIZE) -> None:
        self.entries: MutableMapping[str, FitData] = LRUCache(size)

    def get(self, task: TrialTask, repeat: RepeatTask, fold: int | None, model: Model) -> FitData:
        """Return the data of a fit, from the cache where the rows and the feature settings are the same."""
        settings = repeat.model["features"] if isinstance(model, EstimatorModel) else repeat.model
        rows = [repeat.train, repeat.validation, repeat.folds, fold, repr(task.roles)]
        key = json.dumps([rows, settings], sort_keys=True, default=str)
        data = self.entries.get(key)
        if data is None:
            data = self.entries[key] = _load(task, repeat, fold, model)
        return data


def number_folds(repeat: RepeatTask) -> Sequence[int | None]:
    """Number the folds of a repeat; None alone where there are no folds."""
    return range(len(list_folds(map_table_once(repeat.folds)))) if repeat.folds else [None]


def _split(repeat: RepeatTask, fold: int | None) -> tuple[pd.DataFrame, pd.DataFrame, Any]:
    """Return the rows to fit, the rows to score, and the marks of those to fit."""
    train = map_table_once(repeat.train)
    if fold is None:
        return train, map_table_once(repeat.validation), None
    inside, outside, marks = list_folds(map_table_once(repeat.folds))[fold]
    return train.iloc[inside], train.iloc[outside], marks


def _load(task: TrialTask, repeat: RepeatTask, fold: int | None, model: Model) -> FitData:
    train, validation, marks = _split(repeat, fold)
    raw_train, raw_validation = select_features(train, task.roles), select_features(validation, task.roles)
    # a column's kind is that of all training rows, not of a fold's
    table = raw_train if fold is None else select_features(map_table_once(repeat.train), task.roles)
    front = model.build(table, task.task)[:-1]
    target = train[task.roles.target]
    learned = front.fit_transform(raw_train, target) if len(front) else raw_train
    transformed = front.transform(raw_validation) if len(front) else raw_validation
    for array in (learned, transformed):
        if isinstance(array, np.ndarray):
            array.setflags(write=False)
    rows = identify_rows(validation, task.roles)
    weights = select_weight(train, task.roles), select_weight(validation, task.roles)
    return FitData(front, *weights, raw_train, learned, target, transformed, validation[task.roles.target], rows, marks)

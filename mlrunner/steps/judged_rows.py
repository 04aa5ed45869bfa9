"""Identify what a run was judged by: only runs with equal digests compete for `best`, and for a place in `prune`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from mlrunner.core.folds import select_held_out_rows
from mlrunner.tracking.records.record import TEST_ROWS_TAG, VALIDATION_ROWS_TAG

if TYPE_CHECKING:
    from mlrunner.steps.problem import Problem


def describe_judged_rows(
    problem: Problem,
    objective: str,
    test: pd.DataFrame,
    validation: pd.DataFrame | None = None,
    folds: pd.DataFrame | None = None,
) -> dict[str, str]:
    """Return the tags of a run with digests of the rows that its scores are computed on.

    A digest depends on target, task, positive class, weight column, an objective of one's own with its arguments, and
    the positions and targets (so the class labels) of the rows.

    Args:
        problem: Learning problem.
        objective: Metric of the objective.
        test: Cleaned test rows.
        validation: Cleaned validation rows; None for a refit, which was fitted on them.
        folds: Table of folds, of which the held-out rows count; empty without cross-validation.
    """
    target = problem.roles.target
    tags = {TEST_ROWS_TAG: _digest(problem, objective, test[target])}
    if folds is not None and len(folds):
        return tags | {VALIDATION_ROWS_TAG: _digest(problem, objective, select_held_out_rows(folds))}
    return tags if validation is None else tags | {VALIDATION_ROWS_TAG: _digest(problem, objective, validation[target])}


def combine(repeats: Sequence[dict[str, str]]) -> dict[str, str]:
    """Combine the tags of the repeats of a trial, which have rows of their own."""
    if len(repeats) == 1:
        return repeats[0]
    return {name: _hash("".join(tags[name] for tags in repeats).encode()) for name in repeats[0]}


def _digest(problem: Problem, objective: str, values: pd.Series | pd.DataFrame) -> str:
    content = pd.util.hash_pandas_object(values).to_numpy().tobytes()
    own = problem.scoring.custom.get(objective)
    metric = None if own is None else own.model_dump_json()
    more = {"positive": problem.scoring.positive, "weight": problem.roles.weight, "metric": metric}
    settings = [f"{name}={value}" for name, value in more.items() if value is not None]
    return _hash(json.dumps([problem.roles.target, problem.task, *settings]).encode() + content)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

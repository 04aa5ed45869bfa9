"""Run a trial: fit on training rows, score the rows that choose; the test rows are not even there.

What the trials of a search share is made once a process: the learned features' arrays and XGBoost's bins.
"""

from __future__ import annotations

import json
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from mlrunner.core.arrow import mapped
from mlrunner.core.build import build
from mlrunner.core.errors import MlrunnerError
from mlrunner.evaluation import metrics
from mlrunner.evaluation.scoring import features_of
from mlrunner.groups.model import EstimatorModel, Model
from mlrunner.search.trial import Found, Part, Prepared, Pruned, TrialTask
from mlrunner.search.trial.boosting import Rounds, release, sharing_bins

KEPT = 12  # prepared tables: two splits of five folds
THREAD_KEYS = ("n_jobs", "thread_count", "nthread")
Report = Callable[[int, float], bool]  # step and value; True when the trial is to end


@dataclass
class Tally:
    """What a trial has found so far."""

    rows: list[dict[str, float]] = field(default_factory=list)
    fit_seconds: float = 0.0
    score_seconds: float = 0.0


PREPARED: OrderedDict[str, Prepared] = OrderedDict()


def run(task: TrialTask, report: Report) -> Found:
    """Run a trial; whatever it raises becomes a failed one.

    Args:
        task: From the search.
        report: Called after each fold, repeat or some boosting rounds.
    """
    began = time.perf_counter()
    tally = Tally()
    found: dict[str, Any] = {}
    try:
        _run(task, report, tally)
        found = {"state": "COMPLETE", "metrics": _summary(task, tally.rows)}
        refusal = refused(task.metric, found["metrics"])
        if refusal is not None:
            found = {**found, "state": "FAIL", "error": refusal}
    except Pruned:
        found = {"state": "PRUNED", "metrics": _summary(task, tally.rows)}
    except MlrunnerError as error:
        found = {"state": "FAIL", "error": " ".join(str(error).split())}
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        found = {"state": "FAIL", "error": " ".join(told.split()), "trace": traceback.format_exc()}
    scores = [row.get(task.metric, float("nan")) for row in tally.rows]
    seconds = time.perf_counter() - began
    return Found(
        task.number, scores=scores, seconds=seconds, fit_seconds=tally.fit_seconds, score_seconds=tally.score_seconds,
        **found,
    )  # fmt: skip


def refused(metric: str, found: dict[str, float]) -> str | None:
    """Say why an objective is none: absent, NaN or infinite."""
    if metric not in found:
        known = ", ".join(name for name in found if "/" not in name and not name.endswith("_std"))
        return f"the model gives no {metric}; it gives {known}"
    return None if np.isfinite(found[metric]) else f"{metric} is {found[metric]}"


def _run(task: TrialTask, report: Report, tally: Tally) -> None:
    fits = [(part, fold) for part in task.parts for fold in _folds(part)]
    for step, (part, fold) in enumerate(fits):
        model: Model = build(limited(part.model, task.threads), "model")
        prepared = _prepare(task, part, fold, model)
        estimator = _unfitted(model, prepared, task)
        watched = Rounds(report, task, prepared).options(estimator) if task.prunes and len(fits) == 1 else {}
        began = time.perf_counter()
        with sharing_bins(prepared.train, prepared.validation):
            fitted = _fit(estimator, prepared, watched)
        tally.fit_seconds += time.perf_counter() - began
        began = time.perf_counter()
        tally.rows.append(metrics.score(fitted, prepared.validation, prepared.known, task.task))
        tally.score_seconds += time.perf_counter() - began
        _tell(task, report, tally, step, len(fits))
    if task.keep is not None:
        _keep(task, prepared, fitted)


def _tell(task: TrialTask, report: Report, tally: Tally, step: int, fits: int) -> None:
    if not task.prunes or fits == 1 or step + 1 == fits:
        return
    told = [row.get(task.metric, float("nan")) for row in tally.rows]
    if report(step, told[-1] if task.each_fold else float(np.mean(told))):
        raise Pruned


def limited(settings: dict[str, Any], threads: int) -> dict[str, Any]:
    """Give an estimator that takes all processor threads its share of them, and those inside of it."""
    return {
        key: threads if key in THREAD_KEYS and value == -1 else _limited(value, threads)
        for key, value in settings.items()
    }


def _limited(value: Any, threads: int) -> Any:
    if isinstance(value, dict):
        return limited(value, threads)
    return [_limited(one, threads) for one in value] if isinstance(value, list) else value


def _folds(part: Part) -> Iterator[int | None]:
    if not part.folds:
        yield None
        return
    yield from (int(number) for number in np.unique(mapped(part.folds)["fold"]))


def _rows(part: Part, fold: int | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Take the rows to fit and the rows to score."""
    train = mapped(part.train)
    if fold is None:
        return train, mapped(part.validation)
    inside = mapped(part.folds)["fold"].reindex(train.index).to_numpy() == fold
    return train[~inside], train[inside]


def _prepare(task: TrialTask, part: Part, fold: int | None, model: Model) -> Prepared:
    """Learn the features and apply them, once for all trials that differ in the estimator only."""
    settings = part.model["features"] if isinstance(model, EstimatorModel) else part.model
    place = [part.train, part.validation, part.folds, fold, repr(task.roles)]
    key = json.dumps([place, settings], sort_keys=True, default=str)
    if key in PREPARED:
        PREPARED.move_to_end(key)
        return PREPARED[key]
    rows, others = _rows(part, fold)
    features, known = features_of(rows, task.roles), features_of(others, task.roles)
    whole = features if fold is None else features_of(mapped(part.train), task.roles)  # kinds are those of all rows
    front = model.build(whole, task.task)[:-1]
    target = rows[task.roles.target]
    learned = front.fit_transform(features, target) if len(front) else features
    judged = front.transform(known) if len(front) else known
    for array in (learned, judged):
        if isinstance(array, np.ndarray):
            array.setflags(write=False)
    PREPARED[key] = Prepared(front, features, learned, target, judged, others[task.roles.target])
    while len(PREPARED) > KEPT:
        PREPARED.popitem(last=False)
    return PREPARED[key]


def _fit(estimator: Any, prepared: Prepared, watched: dict[str, Any]) -> Any:
    """Fit on arrays that all trials share; an estimator that writes into them (`copy_X=False`) gets its own."""
    try:
        return estimator.fit(prepared.train, prepared.target, **watched)
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        from sklearn.base import clone

        return clone(estimator).fit(prepared.train.copy(), prepared.target.copy(), **watched)


def _unfitted(model: Model, prepared: Prepared, task: TrialTask) -> Any:
    """Build the last step alone; a class of the user's own builds its whole pipeline for it."""
    if isinstance(model, EstimatorModel):
        return model.last(task.task)
    return model.build(prepared.raw, task.task).steps[-1][1]


def _keep(task: TrialTask, prepared: Prepared, fitted: Any) -> None:
    """Write the pipeline of the last fit, for whoever saves it as a model."""
    import joblib
    from sklearn.pipeline import Pipeline

    release(fitted)
    joblib.dump(Pipeline([*prepared.front.steps, ("estimator", fitted)]), str(task.keep))


def _summary(task: TrialTask, rows: list[dict[str, float]]) -> dict[str, float]:
    """Average over the fits; the deviation is that over folds and repeats."""
    if not rows:
        return {}
    part = "cv" if task.parts[0].folds else "validation"
    found: dict[str, float] = {}
    for name in rows[0]:
        values = [row.get(name, float("nan")) for row in rows]
        mean = float(np.mean(values))
        found |= {name: mean, f"{part}/{name}": mean}
        if len(values) > 1:
            with np.errstate(all="ignore"):
                found[f"{part}/{name}_std"] = float(np.std(values))
    return found

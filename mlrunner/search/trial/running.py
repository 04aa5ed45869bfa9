"""Run a trial: fit on the training rows and score the validation rows; the test rows are not loaded."""

from __future__ import annotations

import functools
import math
import os
import socket
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from mlrunner.core.build import build
from mlrunner.core.errors import MlrunnerError
from mlrunner.evaluation import metrics, uncertainty
from mlrunner.evaluation.objective import find_objective_error
from mlrunner.evaluation.predictions import Predictions, predict, refuse_invalid
from mlrunner.evaluation.weights import name_weight, weigh_rows
from mlrunner.groups.model import EstimatorModel, Model
from mlrunner.search.trial import TrialPruned, TrialResult, TrialTask
from mlrunner.search.trial.boosting import RoundReporter, detach, stop_early
from mlrunner.search.trial.fit_data import FitData, FitDataCache, number_folds
from mlrunner.search.trial.tally import Tally, average
from mlrunner.search.trial.xgboost_private import BinCache

THREAD_KEYS = ("n_jobs", "thread_count", "nthread")
Report = Callable[[int, float], bool]  # step and value; returns True when the trial is to be pruned


class TrialRunner:
    """Runs trials one after the other, and keeps what they share: learned features and XGBoost's bins."""

    def __init__(self) -> None:
        self.data, self.bins = FitDataCache(), BinCache()

    def run(self, task: TrialTask, report: Report) -> TrialResult:
        """Run a trial; an exception makes it a failed one.

        Args:
            task: Trial to run.
            report: Function called after each fold, repeat, or some boosting rounds.
        """
        started, tally = time.perf_counter(), Tally()
        outcome = self._try(task, report, tally)
        return TrialResult(
            task.number,
            scores=[scores.get(task.metric, math.nan) for scores in tally.scores],
            held_out_ratio=tally.held_out_ratio,
            seconds=time.perf_counter() - started,
            fit_seconds=tally.fit_seconds,
            score_seconds=tally.score_seconds,
            replicates=tally.replicates,
            worker=f"{socket.gethostname()}:{os.getpid()}",
            **outcome,
        )

    def _try(self, task: TrialTask, report: Report, tally: Tally) -> dict[str, Any]:
        """Run a trial, and return the state, the metrics and the error of its result."""
        try:
            self._fit_all(task, report, tally)
            averages = average(task, tally.scores) | tally.fit_values
            error = find_objective_error(task.metric, averages)
            return {"state": "COMPLETE" if error is None else "FAIL", "metrics": averages, "error": error}
        except TrialPruned:
            return {"state": "PRUNED", "metrics": average(task, tally.scores)}
        except MlrunnerError as error:
            return {"state": "FAIL", "error": " ".join(str(error).split())}
        except Exception as error:
            message = " ".join(f"{type(error).__name__}: {error}".split())
            return {"state": "FAIL", "error": message, "trace": traceback.format_exc()}

    def _fit_all(self, task: TrialTask, report: Report, tally: Tally) -> None:
        fits = [(repeat, fold) for repeat in task.repeats for fold in number_folds(repeat)]
        for step, (repeat, fold) in enumerate(fits):
            model: Model = build(limit_threads(repeat.model, task.threads), "model")
            data = self.data.get(task, repeat, fold, model)
            reporter = RoundReporter(report, task, data) if task.prunes and len(fits) == 1 else None
            fitted = self._fit(model, data, task, reporter, tally)
            started = time.perf_counter()
            rows = data.validation, data.validation_target
            predictions = predict(fitted, *rows, task.task, task.scoring, data.validation_weight)
            refuse_invalid({"the scored rows": predictions})
            tally.scores.append(metrics.measure(predictions, task.task))
            tally.count(data.train_target, data.validation_target)
            ends = all(other is not repeat for other, _ in fits[step + 1 :])
            threshold = tally.tune(model, predictions, task, ends)
            if threshold is not None:
                fitted.threshold, predictions = threshold, predictions.classify(threshold)
            tally.score_seconds += time.perf_counter() - started
            if len(fits) == 1:
                tally.replicates = _replicate(predictions, data, task)
            if task.prunes and step + 1 < len(fits):
                _report_fit(task, report, tally, step)
        if task.model_file is not None:
            _write_model(task.model_file, data, fitted)

    def _fit(self, model: Model, data: FitData, task: TrialTask, reporter: RoundReporter | None, tally: Tally) -> Any:
        """Fit an estimator, and add what this takes and finds to the tally."""
        estimator, started = _build_estimator(model, data, task), time.perf_counter()
        tally.rounds += stop_early(model, estimator, data)
        options = {} if reporter is None else reporter.attach(estimator)
        options |= name_weight(estimator, weigh_rows(model, data.train_target, data.train_weight))
        with self.bins.sharing(data.train, data.validation):
            fitted = _fit(estimator, data, options)
        tally.fit_seconds += time.perf_counter() - started
        return fitted


def _replicate(predictions: Predictions, data: FitData, task: TrialTask) -> dict[str, Any] | None:
    """Return the jackknife replicates of the metric, which show the noise of a single score."""
    replicates = uncertainty.jackknife(predictions, task.task, *data.validation_rows)
    if replicates is None or task.metric not in replicates.metrics:
        return None
    return replace(replicates, metrics={task.metric: replicates.metrics[task.metric]}).to_json()


@functools.cache
def shared_runner() -> TrialRunner:
    """Return the runner of this process, for jobs that follow each other without an object in common."""
    return TrialRunner()


def _report_fit(task: TrialTask, report: Report, tally: Tally, step: int) -> None:
    scores = [fit.get(task.metric, math.nan) for fit in tally.scores]
    if report(step, scores[-1] if task.each_fold else float(np.mean(scores))):
        raise TrialPruned


def limit_threads(settings: dict[str, Any], threads: int) -> dict[str, Any]:
    """Replace every thread count of -1 (all processors) in the settings of a model, at any depth."""
    return {
        key: threads if key in THREAD_KEYS and value == -1 else _limit_value(value, threads)
        for key, value in settings.items()
    }


def _limit_value(value: Any, threads: int) -> Any:
    if isinstance(value, dict):
        return limit_threads(value, threads)
    return [_limit_value(item, threads) for item in value] if isinstance(value, list) else value


def _fit(estimator: Any, data: FitData, options: dict[str, Any]) -> Any:
    """Fit on the shared arrays; an estimator that writes into them (`copy_X=False`) gets copies."""
    try:
        return estimator.fit(data.train, data.train_target, **options)
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        from sklearn.base import clone

        return clone(estimator).fit(data.train.copy(), data.train_target.copy(), **options)


def _build_estimator(model: Model, data: FitData, task: TrialTask) -> Any:
    """Build the last step alone; a user's own `Model` class builds its whole pipeline."""
    if isinstance(model, EstimatorModel):
        return model.build_estimator(task.task)
    return model.build(data.raw_train, task.task).steps[-1][1]


def _write_model(file: str, data: FitData, fitted: Any) -> None:
    """Write the pipeline of the last fit."""
    import joblib
    from sklearn.pipeline import Pipeline

    detach(fitted)
    joblib.dump(Pipeline([*data.front.steps, ("estimator", fitted)]), file)

"""Measure what a gate compares: the candidate's scores and costs, and the champion's scores on the same rows."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd

from mlrunner.core.errors import first_line
from mlrunner.core.skops_format import import_skops
from mlrunner.evaluation import metrics
from mlrunner.evaluation.predictions import predict, refuse_invalid
from mlrunner.evaluation.scoring import digest_rows
from mlrunner.evaluation.weights import select_weight
from mlrunner.groups.deployer import compatibility
from mlrunner.groups.gate import Gate, GateInputs
from mlrunner.groups.model.packaging import list_own_modules
from mlrunner.steps.problem import Problem
from mlrunner.tracking import invalid_runs, model_registry

LATENCY_CALLS = 50  # predictions of one row
MEGABYTE = 1024 * 1024


def gather_candidate(
    gate: Gate, pipeline: Any, scores: dict[str, float], raw: pd.DataFrame, test: pd.DataFrame
) -> GateInputs:
    """Gather what a gate compares of a candidate.

    Args:
        gate: Gate that decides.
        pipeline: Fitted pipeline from raw rows to predictions.
        scores: Scores by part and metric.
        raw: Raw table.
        test: Cleaned test rows; their index selects the rows of `raw`.
    """
    costs = _measure_costs(pipeline, _mask_unreadable(pipeline, raw.loc[test.index])) if gate.needs_costs else {}
    return GateInputs(scores | costs, digest_rows(test), "the candidate")


def gather_champion(
    gate: Gate, model: str | None, raw: pd.DataFrame, test: pd.DataFrame, problem: Problem, candidate: Any
) -> GateInputs | None:
    """Score the deployed model on the candidate's test rows.

    Args:
        gate: Gate that decides.
        model: Name of the registered model; None without one.
        raw: Raw table.
        test: Cleaned test rows; their index selects the rows of `raw`.
        problem: Learning problem.
        candidate: Fitted pipeline of the candidate.

    Returns:
        None if nothing is deployed or the gate needs no champion.
    """
    version = model_registry.get_version(model) if model is not None and gate.needs_champion else None
    if version is None:
        return None
    name = f"{version.name}/{version.version}"
    invalid = invalid_runs.read_invalid(str(version.run_id))
    if invalid is not None:
        return GateInputs({}, digest_rows(test), name, invalid=invalid)
    difference = compatibility.compare_tasks(version.tags, problem.roles.target, problem.task)
    difference = difference or compatibility.find_absent(f"models:/{name}", map(str, raw.columns))
    try:
        if difference is None:
            pipeline = model_registry.load_model(f"models:/{name}", list_own_modules(candidate))
            difference = compatibility.compare_classes(pipeline, candidate)
        if difference is not None:
            return GateInputs({}, digest_rows(test), name, difference=difference)
        scores = score_raw_rows(pipeline, raw, test, problem)
    except Exception as error:  # the store, the loader and the old model raise errors of many kinds
        return GateInputs({}, digest_rows(test), name, problem=f"{type(error).__name__}: {first_line(error)}")
    return GateInputs({f"test/{metric}": value for metric, value in scores.items()}, digest_rows(test), name)


def champion_version(champion: GateInputs | None) -> int:
    """Return the version that a candidate was compared with; 0 if nothing is deployed."""
    return 0 if champion is None else int(champion.name.rpartition("/")[2])


def score_raw_rows(pipeline: Any, raw: pd.DataFrame, part: pd.DataFrame, problem: Problem) -> dict[str, float]:
    """Score a whole pipeline on the raw rows of a part."""
    target, weight = part[problem.roles.target], select_weight(part, problem.roles)
    rows = _mask_unreadable(pipeline, raw.loc[part.index])
    predictions = predict(pipeline, rows, target, problem.task, problem.scoring, weight)
    refuse_invalid({"the scored rows": predictions})
    return metrics.measure(predictions, problem.task)


def _mask_unreadable(pipeline: Any, rows: pd.DataFrame) -> pd.DataFrame:
    """Replace values that the cleaning cannot read: they were counted and accepted when the table was checked."""
    cleaning = getattr(pipeline, "named_steps", {}).get("cleaning")
    return rows if cleaning is None else cleaning.strategy.mask_unreadable(rows)


def _measure_costs(pipeline: Any, rows: pd.DataFrame) -> dict[str, float]:
    """Measure the latency of one row and the size of the saved model."""
    seconds = []
    for number in range(LATENCY_CALLS):
        row = rows.iloc[[number % len(rows)]]
        start = time.perf_counter()
        pipeline.predict(row)
        seconds.append(time.perf_counter() - start)
    megabytes = len(import_skops().dumps(pipeline)) / MEGABYTE
    return {"serve/p95_ms": float(np.percentile(seconds, 95) * 1000), "model/megabytes": megabytes}

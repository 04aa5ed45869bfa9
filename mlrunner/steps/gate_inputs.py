"""What the gate judges by: the candidate's numbers, and the champion's on the same rows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import mlflow
import numpy as np
import pandas as pd

from mlrunner.evaluation import metrics
from mlrunner.evaluation.scoring import digest
from mlrunner.groups.gate import Evidence, Gate
from mlrunner.tracking import model_registry

if TYPE_CHECKING:
    from mlrunner.core.column_roles import Roles, Task

CALLS = 50  # one-row predictions that the latency is taken from
MEGABYTE = 1024 * 1024


def of_candidate(
    gate: Gate, pipeline: Any, scores: dict[str, float], raw: pd.DataFrame, test: pd.DataFrame
) -> Evidence:
    """Gather what the gate wants to know of a candidate.

    Args:
        gate: The judge.
        pipeline: From raw rows to predictions.
        scores: Part and name to value.
        raw: The raw table.
        test: The cleaned test rows; their index names those of `raw`.
    """
    costs = _costs(pipeline, raw.loc[test.index]) if gate.needs_costs else {}
    return Evidence(scores | costs, digest(test), "the candidate")


def of_champion(
    gate: Gate, name: str | None, raw: pd.DataFrame, test: pd.DataFrame, roles: Roles, task: Task
) -> Evidence | None:
    """Score what is deployed on the candidate's test rows; None when nothing is, or the gate does not ask.

    Args:
        gate: The judge.
        name: Of the registered model; None without one.
        raw: The raw table.
        test: The cleaned test rows.
        roles: Say which column is the target.
        task: Decides the metrics.
    """
    version = model_registry.version_of(name) if name is not None and gate.needs_champion else None
    if version is None:
        return None
    told = f"{version.name}/{version.version}"
    try:
        pipeline = mlflow.sklearn.load_model(f"models:/{version.name}/{version.version}")
        scores = score(pipeline, raw, test, roles, task)
    except Exception as error:  # whatever the store, the loader or the old model itself says
        return Evidence({}, digest(test), told, problem=f"{type(error).__name__}: {str(error).splitlines()[0]}")
    return Evidence({f"test/{metric}": value for metric, value in scores.items()}, digest(test), told)


def version_of(champion: Evidence | None) -> int:
    """The version that a candidate was compared with; 0 where nothing is deployed."""
    return 0 if champion is None else int(champion.name.rpartition("/")[2])


def score(pipeline: Any, raw: pd.DataFrame, part: pd.DataFrame, roles: Roles, task: Task) -> dict[str, float]:
    """Score a whole model on the raw rows of a part."""
    rows = raw.loc[part.index]
    return metrics.measure(metrics.predict(pipeline, rows, part[roles.target], task), task)


def _costs(pipeline: Any, rows: pd.DataFrame) -> dict[str, float]:
    """Measure what serving would cost: the latency of one row, and the size of the saved model."""
    import skops.io

    seconds = []
    for place in range(CALLS):
        row = rows.iloc[[place % len(rows)]]
        began = time.perf_counter()
        pipeline.predict(row)
        seconds.append(time.perf_counter() - began)
    megabytes = len(skops.io.dumps(pipeline)) / MEGABYTE
    return {"serve/p95_ms": float(np.percentile(seconds, 95) * 1000), "model/megabytes": megabytes}

"""How far a score would move with other rows: the delete-a-group jackknife.

The rows are dealt into groups; leaving out one group at a time gives as many replicates of each metric. Two runs that
were scored on the same rows have the same groups, so the replicates of their difference tell its standard error, which
is much smaller than that of either score (B. Efron, The Jackknife, the Bootstrap and Other Resampling Plans, 1982).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlrunner.metrics import Predictions
    from mlrunner.roles import Task

GROUPS = 20
LOOKED_AT = 5000  # rows; the error that these have is scaled to that of all
SURE = 2.0  # standard errors


@dataclass(frozen=True)
class Replicates:
    """What each metric would be without one of the groups.

    Args:
        rows: A digest of which rows they are: equal means that two runs can be compared group by group.
        scale: From the error of the rows that were looked at to that of all of them.
        metrics: Name to values: one a group for a part of the rows, one a fold for a cross-validation.
        is_folds: Whether they are the scores of folds.
    """

    rows: str
    scale: float
    metrics: dict[str, list[float]]
    is_folds: bool = False

    def plain(self) -> dict[str, Any]:
        """As JSON has it; NaN, which it has not, is null."""
        told = asdict(self)
        told["metrics"] = {
            name: [value if math.isfinite(value) else None for value in values] for name, values in self.metrics.items()
        }
        return told


def read(told: dict[str, Any]) -> Replicates:
    """Read what `plain` wrote."""
    metrics = {
        name: [math.nan if value is None else float(value) for value in values]
        for name, values in told["metrics"].items()
    }
    return Replicates(str(told["rows"]), float(told["scale"]), metrics, bool(told["is_folds"]))


def replicate(predictions: Predictions, task: Task, rows: str) -> Replicates | None:
    """Measure without each group in turn; None where there are too few rows.

    Args:
        predictions: Of one part.
        task: Decides the metrics.
        rows: A digest of which rows these are.
    """
    import numpy as np

    from mlrunner.metrics import Predictions, measure

    count = len(predictions.y_true)
    if count < 2 * GROUPS:
        return None
    step = -(-count // LOOKED_AT)
    taken = np.arange(0, count, step)
    group = np.arange(len(taken)) % GROUPS
    found: dict[str, list[float]] = {}
    for number in range(GROUPS):
        kept = taken[group != number]
        proba = None if predictions.y_proba is None else predictions.y_proba[kept]
        some = Predictions(
            predictions.y_true[kept], predictions.y_pred[kept], proba, predictions.classes, predictions.target
        )
        for name, value in measure(some, task).items():
            found.setdefault(name, []).append(value)
    return Replicates(rows, math.sqrt(len(taken) / count), found)


def of_difference(first: Replicates, second: Replicates, metric: str) -> float:
    """Find the standard error of the second score minus the first; NaN where nothing tells it."""
    one, other = first.metrics.get(metric, []), second.metrics.get(metric, [])
    if first.rows == second.rows and len(one) == len(other):
        return _error([b - a for a, b in zip(one, other, strict=True)], first)
    return math.hypot(_error(one, first), _error(other, second))


def _error(values: list[float], of: Replicates) -> float:
    count = len(values)
    if count < 2:
        return math.nan
    mean = math.fsum(values) / count
    spread = math.fsum((value - mean) ** 2 for value in values)
    if of.is_folds:  # the folds are the sample itself
        return math.sqrt(spread / (count - 1) / count)
    return of.scale * math.sqrt(spread * (count - 1) / count)

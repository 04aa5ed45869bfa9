"""How far a score would move with other rows: the delete-a-group jackknife.

The rows are dealt into groups; leaving out one group at a time gives as many replicates of each metric. Two runs that
were scored on the same rows have the same groups, so the replicates of their difference tell its standard error, which
is much smaller than that of either score (B. Efron, The Jackknife, the Bootstrap and Other Resampling Plans, 1982).

Rows that belong together, like the items of an order, are left out together: dealt one by one they would make a score
look surer than it is, on the real Olist table by a factor of two.

Of a cross-validation the folds are the replicates. Any two of them train on mostly the same rows, so their scores vary
together, and the mean of them varies more than that of as many independent ones: by the share of the rows that a fold
leaves to training (C. Nadeau and Y. Bengio, Inference for the Generalization Error, Machine Learning 52, 2003).
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlrunner.core.column_roles import Task
    from mlrunner.evaluation.metrics import Predictions

GROUPS = 20
LOOKED_AT = 5000  # rows; the error that these have is scaled to that of all
SURE = 2.0  # standard errors, of as many replicates as there are groups
# The same of few folds: Student's t, by degrees of freedom, beyond which chance takes a mean once in twenty times.
SURE_OF_FOLDS = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)


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


def replicate(predictions: Predictions, task: Task, rows: str, clusters: Any = None) -> Replicates | None:
    """Measure without each group in turn; None where there are too few rows.

    Args:
        predictions: Of one part.
        task: Decides the metrics.
        rows: A digest of which rows these are.
        clusters: Which rows belong together, a value a row; None where each stands by itself.
    """
    import numpy as np

    from mlrunner.evaluation.metrics import Predictions, measure

    count = len(predictions.y_true)
    unit = np.arange(count) if clusters is None else np.unique(np.asarray(clusters).astype(str), return_inverse=True)[1]
    if count == 0 or unit.max() + 1 < 2 * GROUPS:
        return None
    step = max(1, min(-(-count // LOOKED_AT), (unit.max() + 1) // (2 * GROUPS)))
    taken = np.flatnonzero(unit % step == 0)
    group = unit[taken] // step % GROUPS
    found: dict[str, list[float]] = {}
    for number in range(GROUPS):
        kept = taken[group != number]
        proba = None if predictions.y_proba is None else predictions.y_proba[kept]
        some = Predictions(
            predictions.y_true[kept], predictions.y_pred[kept], proba, predictions.classes, predictions.target
        )
        for name, value in measure(some, task).items():
            found.setdefault(name, []).append(value)
    # Other groups than those of rows dealt one by one, or by another column.
    dealt = rows if clusters is None else f"{rows} in {hashlib.sha256(unit.tobytes()).hexdigest()[:16]}"
    return Replicates(dealt, math.sqrt(len(taken) / count), found)


def margin(first: Replicates, second: Replicates, metric: str) -> float:
    """Find how far chance takes the difference of two scores, but for one time in twenty; NaN as the error is."""
    folds = [len(one.metrics.get(metric, [])) for one in (first, second) if one.is_folds]
    return (sure(min(folds)) if folds else SURE) * of_difference(first, second, metric)


def sure(folds: int) -> float:
    """Say how many standard errors of a mean over folds are more than chance; NaN where one fold tells none."""
    return SURE_OF_FOLDS[min(folds - 1, len(SURE_OF_FOLDS)) - 1] if folds > 1 else math.nan


def of_difference(first: Replicates, second: Replicates, metric: str) -> float:
    """Find the standard error of the second score minus the first; NaN where nothing tells it."""
    one, other = first.metrics.get(metric, []), second.metrics.get(metric, [])
    if first.rows == second.rows and len(one) == len(other):
        return _error([b - a for a, b in zip(one, other, strict=True)], first)
    return math.hypot(_error(one, first), _error(other, second))


def of_folds(variance: float, count: int, held_out: float) -> float:
    """Find the standard error of a mean over folds.

    Args:
        variance: Among them, unbiased.
        count: Of folds and their repeats.
        held_out: Rows that a fold is scored on for each row that it trains on: of K folds 1 / (K - 1).
    """
    return math.sqrt(variance * (1 / count + held_out))


def _error(values: list[float], of: Replicates) -> float:
    count = len(values)
    if count < 2:
        return math.nan
    mean = math.fsum(values) / count
    spread = math.fsum((value - mean) ** 2 for value in values)
    if of.is_folds:
        return of_folds(spread / (count - 1), count, 1 / (count - 1))
    return of.scale * math.sqrt(spread * (count - 1) / count)

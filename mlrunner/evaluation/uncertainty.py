"""Uncertainty of scores: the delete-a-group jackknife, and the standard error of cross-validation.

The rows are assigned to groups. Leaving out one group at a time gives one replicate of each metric per group. Two runs
that were scored on the same rows have the same groups, so the replicates of their difference give its standard error,
which is much smaller than that of either score (B. Efron, The Jackknife, the Bootstrap and Other Resampling Plans,
1982).

Dependent rows, like the items of an order, are left out together. Assigned one by one they would make a score look more
certain than it is, on the Olist data set by a factor of two.

For cross-validation the folds are the replicates. Any two folds train on mostly the same rows, so their scores are
correlated, and their mean varies more than that of independent scores, by the ratio of held-out to training rows
(C. Nadeau and Y. Bengio, Inference for the Generalization Error, Machine Learning 52, 2003).
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mlrunner.core.formatting import nan_to_none, none_to_nan

if TYPE_CHECKING:
    from mlrunner.core.column_roles import Task
    from mlrunner.evaluation.predictions import Array, Predictions

GROUPS = 20
MAX_ROWS = 5000  # the standard error of this many rows is scaled to that of all rows
BOOTSTRAP_SAMPLES = 4000
FEW_GROUPS = 1.07  # Student's t with 19 degrees of freedom over the normal distribution, two-sided 5%
CRITICAL_VALUE = 2.0  # of the normal distribution, two-sided 5%, rounded
# Of Student's t distribution, two-sided 5%, by degrees of freedom from 1.
CRITICAL_VALUES_OF_FOLDS = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)


@dataclass(frozen=True)
class Replicates:
    """Hold the replicates of each metric.

    Args:
        rows: Digest of the rows; replicates with equal digests can be subtracted group by group.
        scale: Factor from the standard error of the sampled rows to that of all rows.
        metrics: Values by metric name: one a left-out group, or one a fold.
        held_out_ratio: Ratio of held-out to training rows of the folds; None when the values are not those of folds.
    """

    rows: str
    scale: float
    metrics: dict[str, list[float]]
    held_out_ratio: float | None = None

    @property
    def is_folds(self) -> bool:
        """Whether the values are the scores of folds."""
        return self.held_out_ratio is not None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-safe dict; NaN becomes null."""
        return dict(nan_to_none(asdict(self)))


def parse_replicates(document: dict[str, Any]) -> Replicates:
    """Parse a dict from `Replicates.to_json`."""
    metrics = {name: [float(none_to_nan(value)) for value in values] for name, values in document["metrics"].items()}
    return Replicates(str(document["rows"]), float(document["scale"]), metrics, document["held_out_ratio"])


def jackknife(predictions: Predictions, task: Task, rows: str, clusters: Any = None) -> Replicates | None:
    """Compute every metric without each group in turn.

    Args:
        predictions: Predictions for one part.
        task: Regression or classification.
        rows: Digest of the rows.
        clusters: Cluster of each row, shape (n_rows,): rows of one cluster are left out together; None when the rows
            are independent.

    Returns:
        One replicate a group; None when there are fewer than two rows or clusters a group.
    """
    import numpy as np

    from mlrunner.evaluation.metrics import measure

    count = len(predictions.y_true)
    unit = np.arange(count) if clusters is None else np.unique(np.asarray(clusters).astype(str), return_inverse=True)[1]
    if count == 0 or unit.max() + 1 < 2 * GROUPS:
        return None
    sampled, group = _assign_groups(unit)
    metrics: dict[str, list[float]] = {}
    for number in range(GROUPS):
        for name, value in measure(predictions.select(sampled[group != number]), task).items():
            metrics.setdefault(name, []).append(value)
    # Groups of clusters differ from groups of single rows and from those of another cluster column.
    digest = rows if clusters is None else f"{rows} in {hashlib.sha256(unit.tobytes()).hexdigest()[:16]}"
    return Replicates(digest, math.sqrt(len(sampled) / count), metrics)


def _assign_groups(unit: Array) -> tuple[Array, Array]:
    """Sample about MAX_ROWS rows, whole units only; return their positions and their groups."""
    import numpy as np

    units = unit.max() + 1
    step = max(1, min(-(-len(unit) // MAX_ROWS), units // (2 * GROUPS)))
    sampled = np.flatnonzero(unit % step == 0)
    return sampled, unit[sampled] // step % GROUPS


def margin(first: Replicates, second: Replicates, metric: str) -> float:
    """Compute the 5% margin of error of the difference between two scores; NaN when the standard error is unknown."""
    folds = [len(side.metrics.get(metric, [])) for side in (first, second) if side.is_folds]
    factor = critical_value(min(folds)) if folds else CRITICAL_VALUE
    return factor * standard_error_of_difference(first, second, metric)


def margin_towards_zero(first: Replicates, second: Replicates, metric: str) -> float:
    """Compute how far other rows would move the difference of two scores towards zero, at 95 %.

    The groups of rows are resampled for both sides together: a paired bootstrap, whose interval need not be symmetric.
    Where a few rows of a skewed target carry most of a difference, a symmetric margin spans zero although every
    sample of the rows agrees on the sign. Without paired groups, the symmetric margin is returned.

    Returns:
        The distance from the difference to that end of its interval which is nearer to zero; NaN when it is unknown.
    """
    left, right = first.metrics.get(metric, []), second.metrics.get(metric, [])
    count = len(left)
    if first.rows != second.rows or count != len(right) or count < 2 or first.is_folds:
        return margin(first, second, metric)
    import numpy as np

    differences = np.subtract(right, left)
    center = float(differences.mean())
    influence = (center - differences) * (count - 1)  # of each group on the difference
    samples = np.random.default_rng(0).integers(count, size=(BOOTSTRAP_SAMPLES, count))
    moves = influence[samples].mean(axis=1) * math.sqrt(count / (count - 1)) * FEW_GROUPS * first.scale
    low, high = np.quantile(moves, (0.025, 0.975))
    return max(0.0, float(-low if center > 0 else high)) if math.isfinite(low) else math.nan


def critical_value(folds: int) -> float:
    """Return the two-sided 5% critical value for a mean over folds, in standard errors; NaN for a single fold."""
    return CRITICAL_VALUES_OF_FOLDS[min(folds - 1, len(CRITICAL_VALUES_OF_FOLDS)) - 1] if folds > 1 else math.nan


def standard_error_of_difference(first: Replicates, second: Replicates, metric: str) -> float:
    """Compute the standard error of the second score minus the first; NaN with fewer than two replicates."""
    left, right = first.metrics.get(metric, []), second.metrics.get(metric, [])
    if first.rows == second.rows and len(left) == len(right):
        return _standard_error([b - a for a, b in zip(left, right, strict=True)], first)
    return math.hypot(_standard_error(left, first), _standard_error(right, second))


def standard_error_of_folds(variance: float, count: int, held_out: float) -> float:
    """Compute the standard error of a mean over folds.

    Args:
        variance: Unbiased variance of the scores of the folds.
        count: Number of folds, repeats included.
        held_out: Ratio of held-out to training rows of the folds: 1 / (K - 1) for K-fold cross-validation.
    """
    return math.sqrt(variance * (1 / count + held_out))


def _standard_error(values: list[float], replicates: Replicates) -> float:
    count = len(values)
    if count < 2:
        return math.nan
    mean = math.fsum(values) / count
    squares = math.fsum((value - mean) ** 2 for value in values)
    if replicates.held_out_ratio is not None:
        return standard_error_of_folds(squares / (count - 1), count, replicates.held_out_ratio)
    return replicates.scale * math.sqrt(squares * (count - 1) / count)

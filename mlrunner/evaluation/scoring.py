"""Scores of a fitted model on every part of the split, and by cross-validation where the split has folds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pandas as pd

from mlrunner.core.column_roles import Roles
from mlrunner.core.folds import compute_held_out_ratio, select_held_out_rows
from mlrunner.evaluation.cross_validation import CrossValidation, cross_validate
from mlrunner.evaluation.metrics import measure
from mlrunner.evaluation.predictions import Predictions, predict, refuse_invalid
from mlrunner.evaluation.split_data import SplitData, select_features
from mlrunner.evaluation.uncertainty import Replicates
from mlrunner.evaluation.weights import select_weight

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlrunner.core.column_roles import Task

IMPORTANCE_ROWS = 400  # more rows change the permutation importance little


class PipelineBuilder(Protocol):
    """Builder of unfitted pipelines; see `groups.model.Model`."""

    def build(self, table: pd.DataFrame, task: Task) -> Any:
        """Build an unfitted pipeline for a table of feature columns."""
        ...


class ScoredPart(NamedTuple):
    """Predictions and rows from which the uncertainty of a part's scores is computed.

    Args:
        predictions: Predictions for the rows of the part.
        rows: Digest of the rows; equal digests mean equal rows.
        clusters: Group of each row, shape (n_rows,); None when the rows are independent.
    """

    predictions: Predictions
    rows: str
    clusters: Any


@dataclass(frozen=True)
class Evaluation:
    """Scores of a model, and the predictions that they were computed from.

    Args:
        scores: Metric values by part and name (`validation/r2`, `cv/r2_std`), and by name alone for the part that the
            objective is computed on.
        predictions: Predictions for the rows of that part.
        held_out: Scored parts other than train, by name.
        folds: Scores of each fold; None without cross-validation.
    """

    scores: dict[str, float]
    predictions: Predictions
    held_out: dict[str, ScoredPart] = field(default_factory=dict)
    folds: Replicates | None = None


def evaluate(
    fitted: Any, data: SplitData, model: PipelineBuilder, task: Task, validated: CrossValidation | None = None
) -> Evaluation:
    """Score every part of the split.

    Args:
        fitted: Fitted pipeline that takes cleaned feature columns.
        data: Cleaned rows of each part.
        model: Builder of the unfitted pipelines of the folds.
        task: Regression or classification.
        validated: Result of `cross_validate_rows` where it is known; None computes it where there are folds.

    Raises:
        ModelError: If a prediction is NaN or infinite.
    """
    parts = {"train": data.final_train, "validation": data.validation, "test": data.test}
    tables = {part: table for part, table in parts.items() if len(table)}
    predictions, scores = _score_tables(fitted, tables, data, task)
    named = _prefix_with_part(scores)
    held_out = {
        part: ScoredPart(predictions[part], *identify_rows(table, data.roles))
        for part, table in tables.items()
        if part != "train"
    }
    if data.objective_part != "cv":
        return Evaluation(named | scores["validation"], predictions["validation"], held_out)
    validated = validated or cross_validate_rows(data, model, task)
    named |= {f"cv/{name}": value for name, value in validated.mean.items()}
    named |= {f"cv/{name}_std": value for name, value in validated.std.items()}
    is_held_out = select_held_out_rows(data.folds)
    rows = digest_rows(is_held_out) + hashlib.sha256(is_held_out.to_numpy().tobytes()).hexdigest()
    folds = Replicates(rows, 1.0, validated.by_metric, compute_held_out_ratio(data.folds))
    return Evaluation(named | validated.mean, validated.predictions, held_out, folds)


def cross_validate_rows(data: SplitData, model: PipelineBuilder, task: Task) -> CrossValidation:
    """Cross-validate a model over the folds of the training rows."""
    features, target = data.of("train")
    known, weight = (features, target, data.folds), select_weight(data.train, data.roles)
    return cross_validate(lambda: model.build(features, task), *known, task, data.scoring, weight, model)


def evaluate_on_test(fitted: Any, data: SplitData, task: Task) -> Evaluation:
    """Score a model on its training rows and on the test rows.

    Args:
        fitted: Fitted pipeline that takes cleaned feature columns.
        data: Cleaned rows: those that it was fitted on, and those of the test part, which no earlier step has used.
        task: Regression or classification.
    """
    predictions, scores = _score_tables(fitted, {"train": data.train, "test": data.test}, data, task)
    held_out = {"test": ScoredPart(predictions["test"], *identify_rows(data.test, data.roles))}
    return Evaluation(_prefix_with_part(scores), predictions["test"], held_out)


def _score_tables(
    fitted: Any, tables: dict[str, pd.DataFrame], data: SplitData, task: Task
) -> tuple[dict[str, Predictions], dict[str, dict[str, float]]]:
    """Predict and score each part."""
    predictions = {
        part: predict(
            fitted,
            select_features(table, data.roles),
            table[data.roles.target],
            task,
            data.scoring,
            select_weight(table, data.roles),
        )
        for part, table in tables.items()
    }
    refuse_invalid(predictions)
    return predictions, {part: measure(of_part, task) for part, of_part in predictions.items()}


def _prefix_with_part(scores: dict[str, dict[str, float]]) -> dict[str, float]:
    return {f"{part}/{name}": value for part, values in scores.items() for name, value in values.items()}


def identify_rows(table: pd.DataFrame, roles: Roles) -> tuple[str, Any]:
    """Return the digest of the rows of a part, and the group of each row; None where there is no group column."""
    return digest_rows(table), table[roles.group].to_numpy() if roles.group in table else None


def digest_rows(table: pd.DataFrame) -> str:
    """Hash the positions of a part's rows in the data set."""
    positions = pd.util.hash_pandas_object(table.index.to_series(), index=False)
    return hashlib.sha256(positions.to_numpy().tobytes()).hexdigest()


def draw_figures(
    fitted: Any, data: SplitData, evaluation: Evaluation, task: Task, seed: int, subject: str = ""
) -> dict[str, Figure]:
    """Draw the plots of a model.

    The plots of predictions show the part that the objective is computed on. Importance and learning curve are computed
    on the validation rows, or on the training rows where there are folds.

    Args:
        fitted: Fitted pipeline that takes cleaned feature columns.
        data: Cleaned rows of each part.
        evaluation: Result of `evaluate`.
        task: Regression or classification.
        seed: Seed of the permutation importance.
        subject: Data set and model, for the line below each title; the part is appended.
    """
    from mlrunner.evaluation import plots

    part = "train" if data.objective_part == "cv" else "validation"
    importance = plots.compute_permutation_importance(fitted, *data.of(part), task, seed=seed, rows=IMPORTANCE_ROWS)
    curve = plots.compute_learning_curve(fitted, *data.of("train"), *data.of("validation"), task)
    label = data.plot_label or data.objective_part
    fitted_label = part if data.objective_part == "cv" else label
    about, about_fitted = (" · ".join(filter(None, (subject, text))) for text in (label, fitted_label))
    return plots.draw_figures(evaluation.predictions, task, about, importance, curve, about_fitted)

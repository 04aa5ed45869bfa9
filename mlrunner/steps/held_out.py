"""Choose the number of boosting rounds, and the threshold of two classes, on rows that the fit does not learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlrunner.core.folds import FINAL, read_fold
from mlrunner.core.metric_names import ROUNDS, THRESHOLD
from mlrunner.evaluation import scoring, thresholds
from mlrunner.evaluation.predictions import predict, refuse_invalid
from mlrunner.evaluation.weights import select_weight, weigh_rows
from mlrunner.groups.model import early_stopping

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from mlrunner.evaluation.cross_validation import CrossValidation
    from mlrunner.evaluation.split_data import SplitData
    from mlrunner.groups.model import Model, ModelNameConfig
    from mlrunner.steps.materializers import FittedModel
    from mlrunner.steps.problem import Problem


def stop_early(model: Model, estimator: Pipeline, data: SplitData) -> None:
    """Find the number of boosting rounds on the validation rows or folds; without `model.early_stopping` do nothing."""
    features, target = data.of("final_train")
    weight = weigh_rows(model, target, select_weight(data.final_train, data.roles))
    marks = read_fold(data.folds[FINAL]).marks if len(data.folds) else None
    model.stop_early(estimator, (features, target, weight), data.of("validation"), marks)


def tune_threshold(
    model: Model, estimator: Pipeline, data: SplitData, problem: Problem, objective: str
) -> CrossValidation | None:
    """Tune the threshold of a fitted pipeline on held-out rows; return the cross-validation where there are folds."""
    if not thresholds.is_tuned(model):
        return None
    validated = scoring.cross_validate_rows(data, model, problem.task) if len(data.folds) else None
    if validated is None:
        weight = select_weight(data.validation, data.roles)
        fits = [predict(estimator, *data.of("validation"), problem.task, problem.scoring, weight)]
        refuse_invalid({"the validation rows": fits[0]})
    else:
        fits = validated.held_out
    threshold = estimator.steps[-1][1].threshold = thresholds.tune(model, fits, objective)
    return None if validated is None else validated.classify(threshold)


def read_fit_values(fitted: FittedModel, model_config: ModelNameConfig) -> dict[str, float]:
    """Return the number of boosting rounds and the threshold of a model with these settings, by name."""
    settings, last = model_config.settings, fitted.pipeline.steps[-1][1]
    rounds = {} if settings.get("early_stopping") is None else {ROUNDS: float(early_stopping.get_rounds(last))}
    return rounds if settings.get(THRESHOLD) is None else {**rounds, THRESHOLD: float(last.threshold)}

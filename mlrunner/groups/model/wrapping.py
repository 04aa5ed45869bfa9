"""Build what surrounds an estimator, and check its settings: class weights, label codes, threshold, transform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlrunner.groups.model.target_transform import transform_target

if TYPE_CHECKING:
    from mlrunner.core.column_roles import Task
    from mlrunner.groups.model import EstimatorModel


def wrap_estimator(model: EstimatorModel, task: Task, estimator: Any) -> Any:
    """Wrap an unfitted estimator as the settings of its model say.

    Args:
        model: Model with the settings.
        task: "regression" or "classification".
        estimator: Unfitted estimator of the model.
    """
    from mlrunner.groups.model.label_encoding import LabelEncodingClassifier
    from mlrunner.groups.model.threshold import ThresholdClassifier

    if task == "regression":
        return estimator if model.target_transform is None else transform_target(estimator, model.target_transform)
    classifier = LabelEncodingClassifier(estimator) if model.encode_labels else estimator
    if model.threshold is None:
        return classifier
    return ThresholdClassifier(classifier, None if model.threshold == "tuned" else model.threshold, model.positive)


def wrapping_problems(model: EstimatorModel, task: Task, estimator: Any) -> list[str]:
    """Return one sentence for each setting that the task, the estimator or another setting excludes.

    Args:
        model: Model with the settings.
        task: "regression" or "classification".
        estimator: Unfitted estimator of the model.
    """
    of_classes = {name: getattr(model, name) for name in ("class_weight", "threshold", "threshold_metric")}
    if task == "regression":
        problems = [
            f"model.{name}={value}: a regression has no classes; leave it null."
            for name, value in of_classes.items()
            if value is not None
        ]
        if model.target_transform is not None and model.early_stopping is not None:
            problems.append("model.early_stopping does not work with model.target_transform; leave one of them null.")
        return problems
    problems = []
    if model.target_transform is not None:
        problems.append(f"model.target_transform={model.target_transform} is for a regression; leave it null.")
    if model.class_weight is not None and model.estimator.get("class_weight") is not None:
        problems.append("model.class_weight and model.estimator.class_weight are both set; leave one of them null.")
    return problems + _threshold_problems(model, estimator)


def _threshold_problems(model: EstimatorModel, estimator: Any) -> list[str]:
    if model.threshold is None and model.threshold_metric is not None:
        return ["model.threshold_metric needs model.threshold=tuned; set both, or leave it null."]
    if model.threshold is not None and not hasattr(estimator, "predict_proba"):
        subject = f"model.threshold: {type(estimator).__name__} has no probabilities"
        return [f"{subject}; choose another model or leave it null."]
    return []

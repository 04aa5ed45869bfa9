"""Early stopping (`model.early_stopping`): find the number of boosting rounds on rows that the model is not fitted on.

The rows are the validation rows. Where there are folds instead, they are some of the rows that a model is fitted on,
the first of its folds or by time the newest fifth, so that no held-out row decides about the model that is scored on
it. The model is then fitted again with the number found, on all its rows, and without early stopping: what is saved is
a plain estimator.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from mlrunner.core.errors import ConfigError
from mlrunner.core.estimators import get_library
from mlrunner.core.folds import FIT, STOP

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    Rows = tuple[Any, ...]  # features and target, and weights of training rows

KEY = "model.early_stopping"
ROUNDS = {"xgboost": "n_estimators", "lightgbm": "n_estimators", "catboost": "iterations"}
BOOSTERS = "xgboost, lightgbm, catboost or hist_gradient_boosting"


def find_rounds_argument(cls: type) -> str | None:
    """Return the argument that holds the number of boosting rounds; None for a class that cannot stop early."""
    if cls.__name__.startswith("HistGradientBoosting"):
        return "max_iter"
    return None if cls.__name__.startswith("XGBRF") else ROUNDS.get(get_library(cls))


def early_stopping_problems(estimator: Any, patience: int | None) -> list[str]:
    """Return a sentence when an estimator cannot stop early.

    Args:
        estimator: Unfitted estimator.
        patience: Value of `model.early_stopping`.
    """
    if patience is None or find_rounds_argument(type(estimator)) is not None:
        return []
    return [
        f"{KEY}={patience}: {type(estimator).__name__} takes no validation rows to stop on; leave it out, or choose "
        f"model={BOOSTERS}."
    ]


def get_inner(estimator: Any) -> Any:
    """Return the unfitted classifier inside a threshold and label codes, or the argument itself."""
    is_wrapper = type(estimator).__name__ in ("ThresholdClassifier", "LabelEncodingClassifier")
    return get_inner(estimator.estimator) if is_wrapper else estimator


def set_rounds(estimator: Any, rounds: int) -> None:
    """Set the number of boosting rounds of an unfitted estimator."""
    inner = get_inner(estimator)
    inner.set_params(**{str(find_rounds_argument(type(inner))): rounds})


def get_rounds(estimator: Any) -> int:
    """Return the number of boosting rounds that an estimator was given."""
    inner = get_inner(estimator)
    return int(inner.get_params()[str(find_rounds_argument(type(inner)))])


def count_rounds(pipeline: Pipeline, train: Rows, validation: Rows | None, marks: Any, patience: int) -> int:
    """Find the number of boosting rounds of a pipeline.

    Args:
        pipeline: Unfitted pipeline; its last step is the estimator.
        train: Features, target and weights of the training rows; the weights may be None.
        validation: Features and target of the validation rows; None or empty where there are folds.
        marks: Marks of the training rows, see `core.folds`; None where there are validation rows.
        patience: Number of rounds without improvement that end the boosting.

    Raises:
        ConfigError: When there are no rows to stop on.
    """
    front, estimator = pipeline[:-1], pipeline.steps[-1][1]
    learned = front.fit_transform(train[0], train[1])
    held_out = None
    if validation is not None and len(validation[0]):
        held_out = front.transform(validation[0]), validation[1]
    return find_rounds(estimator, *choose_rows((learned, *train[1:]), held_out, marks), patience)


def choose_rows(train: Rows, validation: Rows | None, marks: Any) -> tuple[Rows, Rows]:
    """Return the rows to fit and the rows to stop on: the validation rows, or those that `marks` name.

    Raises:
        ConfigError: When one of them has no rows.
    """
    if validation is not None:
        return train, validation
    fits, stops = ([] if marks is None else np.asarray(marks) == mark for mark in (FIT, STOP))
    if not np.any(fits) or not np.any(stops):
        other = "split=kfold" if marks is None else "split.folds=3, or lower split.gap"
        raise ConfigError(f"{KEY} needs validation rows or two folds to train on; choose split=80_20 or {other}.")
    features, target, weight = train[0], np.asarray(train[1]), train[2]
    fit = features[fits], target[fits], None if weight is None else weight[fits]
    return fit, (features[stops], target[stops])


def find_rounds(estimator: Any, train: Rows, validation: Rows, patience: int) -> int:
    """Find the number of rounds after which the loss on the validation rows no longer falls.

    Args:
        estimator: Unfitted estimator; it stays unfitted.
        train: Encoded features, target and weights to fit on; the weights may be None.
        validation: Encoded features and target to stop on; classes that training lacks are left out.
        patience: Number of rounds without improvement that end the boosting.

    Raises:
        ConfigError: When the library reports no best round.
    """
    from sklearn.base import clone, is_classifier

    inner, (rows, target, weight), (others, labels) = clone(get_inner(estimator)), train, validation
    target, labels = np.asarray(target), np.asarray(labels)
    if is_classifier(inner):
        classes = np.unique(target)
        known = np.isin(labels, classes)
        if not known.any():
            raise ConfigError(
                f"{KEY} needs rows to stop on with classes of the training rows, but they hold others only, such as "
                f"{str(labels[0])!r}; choose split=stratified, or leave it out."
            )
        others, labels = others[known], labels[known]
        if get_inner(estimator) is not estimator:
            target, labels = np.searchsorted(classes, target), np.searchsorted(classes, labels)
    rounds = FINDERS[_get_interface(inner)](inner, (rows, target, weight), (others, labels), patience)
    if not rounds:
        raise ConfigError(f"{KEY}: {type(inner).__name__} with these arguments reports no best round; leave it out.")
    return int(rounds)


def _get_interface(inner: Any) -> str:
    library = get_library(type(inner))
    return library if library in ROUNDS else "sklearn"


def _stop_xgboost(inner: Any, fit: Rows, stop: Rows, patience: int) -> int:
    inner.set_params(early_stopping_rounds=patience)
    return int(inner.fit(*fit[:2], sample_weight=fit[2], eval_set=[stop], verbose=False).best_iteration) + 1


def _stop_lightgbm(inner: Any, fit: Rows, stop: Rows, patience: int) -> int:
    import lightgbm

    callback = lightgbm.early_stopping(patience, verbose=False)
    inner.fit(*fit[:2], sample_weight=fit[2], callbacks=[callback], **lightgbm_evaluation_set(inner, *stop))
    return int(inner.best_iteration_ or 0)


def lightgbm_evaluation_set(estimator: Any, rows: Any, target: Any) -> dict[str, Any]:
    """Return the rows to score under the argument names of the installed LightGBM."""
    if "eval_X" in inspect.signature(estimator.fit).parameters:
        return {"eval_X": rows, "eval_y": target}
    return {"eval_set": [(rows, target)]}


def _stop_catboost(inner: Any, fit: Rows, stop: Rows, patience: int) -> int:
    inner.fit(*fit[:2], sample_weight=fit[2], eval_set=stop, early_stopping_rounds=patience, verbose=False)
    return int(inner.get_best_iteration()) + 1


def _stop_sklearn(inner: Any, fit: Rows, stop: Rows, patience: int) -> int:
    inner.set_params(early_stopping=True, n_iter_no_change=patience, scoring="loss")
    inner.fit(*fit[:2], sample_weight=fit[2], X_val=stop[0], y_val=stop[1])
    return max(1, int(np.argmax(inner.validation_score_)))  # the first score is that before the first round


FINDERS = {
    "xgboost": _stop_xgboost,
    "lightgbm": _stop_lightgbm,
    "catboost": _stop_catboost,
    "sklearn": _stop_sklearn,
}

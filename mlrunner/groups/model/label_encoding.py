"""Encode labels as 0 to n-1 for classifiers that need it; part of the logged model."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import assert_all_finite, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d


def _estimator_has(name: str) -> Any:
    return available_if(lambda self: hasattr(getattr(self, "estimator_", self.estimator), name))


class WrappedClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """Base of the classifiers that fit another one: they know its columns, and take sparse rows where it does."""

    estimator: Any

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator).input_tags
        tags.input_tags.sparse, tags.input_tags.allow_nan = inner.sparse, inner.allow_nan
        return tags

    def _fit(self, X: Any, y: Any, options: dict[str, Any]) -> None:
        """Fit a clone of the classifier, and store what it stores of the columns."""
        self.estimator_ = clone(self.estimator).fit(X, y, **options)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))

    @property
    def _fitted(self) -> Any:
        """The fitted classifier."""
        check_is_fitted(self, "estimator_")
        return self.estimator_


class LabelEncodingClassifier(WrappedClassifier):
    """Classifier that fits another one on the labels 0 to n-1 and predicts the original labels.

    Args:
        estimator: Any classifier; it is cloned at fit.
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any, **options: Any) -> Self:
        """Fit the classifier on the encoded labels."""
        labels = column_or_1d(y, warn=True)
        assert_all_finite(labels, input_name="y")
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        self._fit(X, codes, options)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict the original labels as a flat array, whatever shape the classifier returns."""
        codes = np.asarray(self._fitted.predict(X)).ravel().astype(np.intp)
        labels: NDArray[Any] = self.classes_[codes]
        return labels

    @_estimator_has("predict_proba")  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return a probability for each of `classes_`."""
        return np.asarray(self._fitted.predict_proba(X), dtype=np.float64)

    @_estimator_has("decision_function")  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return the classifier's scores."""
        return np.asarray(self._fitted.decision_function(X), dtype=np.float64)

"""Encode labels as 0 to n-1 for classifiers that need it; part of the logged model."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils.metaestimators import available_if


def _estimator_has(name: str) -> Any:
    return available_if(lambda self: hasattr(getattr(self, "estimator_", self.estimator), name))


class LabelEncodingClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """Classifier that fits another one on the labels 0 to n-1 and predicts the original labels.

    Args:
        estimator: Any classifier; it is cloned at fit.
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any, **options: Any) -> Self:
        """Fit the classifier on the encoded labels."""
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        self.estimator_ = clone(self.estimator).fit(X, codes, **options)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict the original labels as a flat array, whatever shape the classifier returns."""
        codes = np.asarray(self.estimator_.predict(X)).ravel().astype(np.intp)
        labels: NDArray[Any] = self.classes_[codes]
        return labels

    @_estimator_has("predict_proba")  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return a probability for each of `classes_`."""
        return np.asarray(self.estimator_.predict_proba(X), dtype=np.float64)

    @_estimator_has("decision_function")  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return the classifier's scores."""
        return np.asarray(self.estimator_.decision_function(X), dtype=np.float64)

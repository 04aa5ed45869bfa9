"""Classify by a threshold on the probability of the positive class; part of the logged model."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import column_or_1d

from mlrunner.core.score_settings import find_label
from mlrunner.groups.model.label_encoding import WrappedClassifier


class ThresholdClassifier(WrappedClassifier):
    """Classifier of two classes that predicts the positive one from a probability on.

    Args:
        estimator: Classifier with probabilities; it is cloned at fit.
        threshold: Smallest probability, from 0 to 1, of the positive class that is predicted as positive; None: the
            most probable class is predicted.
        positive: Label of the positive class; None: the second in sorted order.
    """

    def __init__(self, estimator: Any, threshold: float | None, positive: Any = None) -> None:
        self.estimator = estimator
        self.threshold = threshold
        self.positive = positive

    def fit(self, X: Any, y: Any, **options: Any) -> Self:
        """Fit the classifier."""
        self._fit(X, column_or_1d(y, warn=True), options)
        self.classes_ = self.estimator_.classes_
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict the positive class where its probability reaches the threshold."""
        return self.classify(self.predict_proba(X))

    def classify(self, proba: NDArray[np.float64]) -> NDArray[Any]:
        """Return the labels for probabilities of `classes_`, shape (n_rows, n_classes)."""
        place = 1 if self.positive is None else find_label(self.classes_, self.positive)
        codes = proba.argmax(axis=1)
        if len(self.classes_) == 2 and place is not None and self.threshold is not None:  # a fold may have one class
            codes = np.where(proba[:, place] >= self.threshold, place, 1 - place)
        labels: NDArray[Any] = np.asarray(self.classes_)[codes]
        return labels

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return a probability for each of `classes_`."""
        return np.asarray(self._fitted.predict_proba(X), dtype=np.float64)

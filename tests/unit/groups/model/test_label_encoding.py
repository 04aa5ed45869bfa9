"""Classifiers that are fitted on encoded labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from scipy.sparse import csr_matrix
from sklearn.base import clone, is_classifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.tree import DecisionTreeClassifier

from mlrunner.groups.model.label_encoding import LabelEncodingClassifier
from tests.support.pipelines import ColumnVector

LABELS = {
    "text": ["no", "yes"],
    "numbers with gaps between": [3, 7, 9],
    "true and false": [False, True],
    "floats": [0.0, 1.0],
}


class TestLabelEncodingClassifier:
    @pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
    def test_labels_come_back_as_they_were(self, labels: list[Any]) -> None:
        X, y = np.arange(30.0).reshape(-1, 1), np.repeat(labels, 30)[:: len(labels)]
        fitted = LabelEncodingClassifier(DecisionTreeClassifier()).fit(X, y)
        assert fitted.classes_.tolist() == labels
        assert fitted.estimator_.classes_.tolist() == list(range(len(labels)))
        np.testing.assert_array_equal(fitted.predict(X), y)
        assert fitted.predict(X).dtype == y.dtype
        assert fitted.predict_proba(X).shape == (30, len(labels))

    def test_pandas_text_is_accepted(self) -> None:
        y = pd.Series(["b", "a", "b"])
        assert set(LabelEncodingClassifier(DecisionTreeClassifier()).fit(np.arange(3).reshape(-1, 1), y).classes_) == {
            "a",
            "b",
        }

    def test_sparse_and_continuous_targets_are_refused(self) -> None:
        rows = np.zeros((4, 1))
        for target in ([0.5, 1.5, 2.5, 3.5], csr_matrix([[1], [0], [1], [0]])):
            with pytest.raises((ValueError, TypeError), match=r"Unknown label type|[Ss]parse"):
                LabelEncodingClassifier(DecisionTreeClassifier()).fit(rows, target)

    def test_the_columns_are_those_of_the_inner_classifier(self) -> None:
        table = pd.DataFrame({"b": [1.0, 2.0], "a": [0.0, 0.0]})
        fitted = LabelEncodingClassifier(DecisionTreeClassifier()).fit(table, ["x", "y"])
        assert (fitted.n_features_in_, fitted.feature_names_in_.tolist()) == (2, ["b", "a"])

    def test_column_of_predictions_is_flattened(self) -> None:
        fitted = LabelEncodingClassifier(ColumnVector(strategy="most_frequent")).fit(np.zeros((3, 1)), ["x", "y", "y"])
        assert fitted.predict(np.zeros((2, 1))).tolist() == ["y", "y"]

    @pytest.mark.parametrize(
        ("inner", "probabilities", "decision"),
        [(RidgeClassifier(), False, True), (DecisionTreeClassifier(), True, False), (LogisticRegression(), True, True)],
        ids=["ridge", "tree", "logistic"],
    )
    def test_it_has_what_the_inner_classifier_has(self, inner: Any, probabilities: bool, decision: bool) -> None:
        fitted = LabelEncodingClassifier(inner).fit(np.arange(4.0).reshape(-1, 1), list("aabb"))
        for classifier in (LabelEncodingClassifier(inner), fitted):
            assert hasattr(classifier, "predict_proba") is probabilities
            assert hasattr(classifier, "decision_function") is decision
        if decision:
            assert fitted.decision_function(np.zeros((2, 1))).shape == (2,)

    def test_it_is_a_classifier_that_can_be_cloned(self) -> None:
        copy = clone(LabelEncodingClassifier(DecisionTreeClassifier(max_depth=3)))
        assert is_classifier(copy)
        assert copy.get_params()["estimator__max_depth"] == 3

    def test_inner_estimator_stays_unfitted(self) -> None:
        inner = DecisionTreeClassifier()
        LabelEncodingClassifier(inner).fit(np.zeros((2, 1)), ["a", "b"])
        assert not hasattr(inner, "classes_")

    def test_skops_restores_the_classifier(self) -> None:
        X = np.arange(4.0).reshape(-1, 1)
        fitted = LabelEncodingClassifier(DecisionTreeClassifier()).fit(X, list("aabb"))
        data = skops.io.dumps(fitted)
        back = skops.io.loads(data, trusted=skops.io.get_untrusted_types(data=data))
        assert back.predict(X).tolist() == list("aabb")

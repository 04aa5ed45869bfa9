"""scikit-learn's own checks of estimators, on the encoders and on the classifiers that wrap another one."""

from __future__ import annotations

from typing import Any

from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from mlrunner.groups.features.encoders import FloatConverter, TextConverter, TextHasher
from mlrunner.groups.features.target_encoding import TargetMeanEncoder
from mlrunner.groups.model.label_encoding import LabelEncodingClassifier
from mlrunner.groups.model.threshold import ThresholdClassifier

SUBTRACTS = "the check subtracts the outputs, which are texts"
CROSS_FITTED = "the training rows are encoded by the means of the other folds, so transform gives other numbers"
EXPECTED = {
    TextConverter: {
        **dict.fromkeys(
            (
                "check_pipeline_consistency",
                "check_estimators_pickle",
                "check_transformer_data_not_an_array",
                "check_transformer_general",
                "check_methods_sample_order_invariance",
                "check_methods_subset_invariance",
                "check_fit_idempotent",
            ),
            SUBTRACTS,
        ),
        "check_transformer_preserve_dtypes": "numbers become texts",
    },
    TargetMeanEncoder: dict.fromkeys(
        ("check_transformer_data_not_an_array", "check_transformer_general"), CROSS_FITTED
    ),
}
ESTIMATORS = [
    FloatConverter(),
    TextConverter(),
    TextHasher(),
    TargetMeanEncoder(),
    TargetMeanEncoder(classes=True),
    LabelEncodingClassifier(DecisionTreeClassifier(random_state=0)),
    ThresholdClassifier(DecisionTreeClassifier(random_state=0), 0.5),
]


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=lambda each: EXPECTED.get(type(each), {}))
def test_scikit_learns_checks(estimator: Any, check: Any) -> None:
    check(estimator)

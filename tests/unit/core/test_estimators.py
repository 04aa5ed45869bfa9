"""Kinds of estimators, and names that all of them accept."""

from __future__ import annotations

import numpy as np
import xgboost
from sklearn.compose import TransformedTargetRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from mlrunner.core.estimators import get_library, make_safe, unwrap
from mlrunner.groups.model.label_encoding import LabelEncodingClassifier
from mlrunner.groups.model.lightgbm_constraints import LGBMRegressor
from mlrunner.groups.model.threshold import ThresholdClassifier

ROWS = np.arange(4.0).reshape(-1, 1)


def test_the_library_of_a_class_of_ours_is_that_of_its_base() -> None:
    assert [get_library(cls) for cls in (LGBMRegressor, xgboost.XGBRegressor, LabelEncodingClassifier, int)] == [
        "lightgbm",
        "xgboost",
        "sklearn",
        "builtins",
    ]


def test_the_innermost_estimator_is_found_below_every_wrapper() -> None:
    wrapped = ThresholdClassifier(LabelEncodingClassifier(DecisionTreeClassifier()), 0.5).fit(ROWS, list("aabb"))
    assert type(unwrap(wrapped)) is DecisionTreeClassifier
    transformed = TransformedTargetRegressor(DecisionTreeRegressor()).fit(ROWS, ROWS.ravel())
    assert type(unwrap(transformed)) is DecisionTreeRegressor
    plain = DecisionTreeRegressor()
    assert unwrap(plain) is plain


def test_a_safe_name_keeps_other_characters() -> None:
    forms = r"a \uff3b1\uff3d \uff1cb> \uff5bc\uff5d\uff1a \uff02d\uff02\uff0c _#"
    assert make_safe('a [1] <b> {c}: "d", _#') == forms.encode().decode("unicode_escape")
    assert make_safe("a[") != make_safe("a]")

"""Kinds of estimators, whatever is wrapped around them, and the names of features that all of them accept.

A model server imports this module.
"""

from __future__ import annotations

from typing import Any

INNER = {
    "LabelEncodingClassifier": "estimator_",
    "ThresholdClassifier": "estimator_",
    "TransformedTargetRegressor": "regressor_",
}
# XGBoost refuses the first three, LightGBM the others; a look-alike keeps two names apart.
LOOK_ALIKES = str.maketrans('[]<{}:,"', "［］＜｛｝：，＂")  # noqa: RUF001


def get_library(cls: type) -> str:
    """Return the top-level module of a class; of a class of ours, that of the class that it is derived from."""
    modules = (base.__module__.partition(".")[0] for base in cls.__mro__)
    return next(name for name in modules if name != "mlrunner")


def unwrap(fitted: Any) -> Any:
    """Return the innermost fitted estimator: below label codes, a threshold and a transform of the target."""
    while (inner := INNER.get(type(fitted).__name__)) is not None:
        fitted = getattr(fitted, inner)
    return fitted


def make_safe(name: str) -> str:
    """Replace the characters that a library of boosted trees refuses in a name by their full-width forms."""
    return name.translate(LOOK_ALIKES)

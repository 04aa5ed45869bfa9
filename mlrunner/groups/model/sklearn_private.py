"""Validate the parameters of a scikit-learn estimator before it is fitted; read in scikit-learn 1.9.1."""

from __future__ import annotations

from typing import Any


def explain_invalid_parameters(estimator: Any) -> str | None:
    """Return why scikit-learn would refuse the parameters of an estimator at `fit`.

    Returns:
        One sentence without its full stop; None when the parameters are valid, the estimator is not one of
        scikit-learn's, or the installed release has no such check, so that the mistake shows at `fit`.
    """
    validate = getattr(estimator, "_validate_params", None)
    if validate is None or not type(estimator).__module__.startswith("sklearn."):
        return None
    try:
        validate()
    except ValueError as error:
        return str(error).rstrip(".")
    return None

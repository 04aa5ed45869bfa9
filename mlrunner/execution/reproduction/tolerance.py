"""Choose how much two fits of one composition may differ: not at all, unless a seed is not set."""

from __future__ import annotations

import re
from typing import Any

from mlrunner.groups.model import estimator_arguments

UNSEEDED_TOLERANCE = 0.05  # relative difference of an estimator without a seed
SEEDS = ("random_state", "random_seed")
# These modules are deterministic by default, except for the classes and arguments below.
EXACT = ("sklearn.linear_model.", "sklearn.dummy.", "sklearn.svm.", "sklearn.neighbors.")
RANDOM = re.compile(r"SGD|Perceptron|PassiveAggressive|LinearSV|RANSAC|TheilSen")
RANDOM_ARGUMENTS = {
    "solver": ("sag", "saga", "liblinear"),
    "selection": ("random",),
    "strategy": ("stratified", "uniform"),
    "probability": (True,),
}
BOOSTERS = ("xgboost.", "lightgbm.", "catboost.")  # have a fixed default seed
SEEDS_MEMBERS = "sklearn.ensemble."  # a seeded estimator from here seeds its members


def choose_tolerance(estimator: dict[str, Any], tolerance: float | None) -> tuple[float, str | None]:
    """Choose the largest relative difference of a metric.

    Args:
        estimator: Configuration of the estimator: `_target_` and arguments.
        tolerance: Tolerance that the user set; None chooses 0 for a deterministic estimator, else 5 %.

    Returns:
        The tolerance, and the reason when it is not 0 by default.
    """
    if tolerance is not None:
        return tolerance, None
    unset = list_unset_seeds(estimator, "model.estimator")
    if not unset:
        return 0.0, None
    return (
        UNSEEDED_TOLERANCE,
        f"{', '.join(unset)} is not set, so two fits differ by chance: compared within {UNSEEDED_TOLERANCE:.0%}",
    )


def list_unset_seeds(settings: Any, key: str) -> list[str]:
    """List the keys of seeds that are not set, also in estimators within an estimator.

    Args:
        settings: Part of the configuration of the estimator.
        key: Key of that part.
    """
    if not isinstance(settings, dict | list):
        return []
    own = _list_own_unset_seeds(settings, key) if isinstance(settings, dict) else []
    if isinstance(settings, dict) and _is_seeded(settings) and _target(settings).startswith(SEEDS_MEMBERS):
        return own
    items = settings.items() if isinstance(settings, dict) else enumerate(settings)
    return [*own, *(name for place, value in items for name in list_unset_seeds(value, f"{key}.{place}"))]


def _list_own_unset_seeds(estimator: dict[str, Any], key: str) -> list[str]:
    """List the seeds of one class that are null or not set."""
    target = _target(estimator)
    is_random = bool(RANDOM.search(target)) or any(
        estimator.get(name) in values for name, values in RANDOM_ARGUMENTS.items()
    )
    if not target or _is_seeded(estimator) or (target.startswith(EXACT) and not is_random):
        return []
    cls = estimator_arguments.locate(target, f"{key}._target_")
    if not hasattr(cls, "fit"):  # a splitter, which does not shuffle by default
        return []
    return [f"{key}.{name}" for name in SEEDS if name in estimator or name in estimator_arguments.argument_names(cls)]


def _target(estimator: dict[str, Any]) -> str:
    return str(estimator.get("_target_") or "")


def _is_seeded(estimator: dict[str, Any]) -> bool:
    return _target(estimator).startswith(BOOSTERS) or any(estimator.get(name) is not None for name in SEEDS)

"""By how much two fits of the same composition may differ: not at all, unless a seed is left to chance."""

from __future__ import annotations

import re
from typing import Any

from mlrunner.groups.model import estimator_arguments

UNSEEDED = 0.05  # the share that an estimator without a seed may differ by
SEEDS = ("random_state", "random_seed")
EXACT = ("sklearn.linear_model.", "sklearn.dummy.", "sklearn.svm.", "sklearn.neighbors.")  # use no seed as a rule, but:
RANDOM = re.compile(r"SGD|Perceptron|PassiveAggressive|LinearSV|RANSAC|TheilSen")  # do, and so do these arguments:
CHANCE = {
    "solver": ("sag", "saga", "liblinear"),
    "selection": ("random",),
    "strategy": ("stratified", "uniform"),
    "probability": (True,),
}
BOOSTERS = ("xgboost.", "lightgbm.", "catboost.")  # have a seed of their own where none is given
SEEDING = "sklearn.ensemble."  # what has a seed there gives each of its members one


def choose_tolerance(estimator: dict[str, Any], tolerance: float | None) -> tuple[float, str | None]:
    """Say by which share a metric may differ, and why it is not 0.

    Args:
        estimator: Class and arguments.
        tolerance: What was asked for; None: 0 where the estimator is deterministic.
    """
    if tolerance is not None:
        return tolerance, None
    left = list_unset_seeds(estimator, "model.estimator")
    if not left:
        return 0.0, None
    return UNSEEDED, f"{', '.join(left)} is not set, so two fits differ by chance: compared within {UNSEEDED:.0%}"


def list_unset_seeds(settings: Any, key: str) -> list[str]:
    """Name the seeds that are left to chance, those of estimators inside of another one too."""
    if not isinstance(settings, dict | list):
        return []
    own = _left(settings, key) if isinstance(settings, dict) else []
    if isinstance(settings, dict) and _is_seeded(settings) and _target(settings).startswith(SEEDING):
        return own
    items = settings.items() if isinstance(settings, dict) else enumerate(settings)
    return [*own, *(name for place, value in items for name in list_unset_seeds(value, f"{key}.{place}"))]


def _left(estimator: dict[str, Any], key: str) -> list[str]:
    """Name the seeds that are null, or not given where the class has them."""
    target = _target(estimator)
    is_random = bool(RANDOM.search(target)) or any(estimator.get(name) in told for name, told in CHANCE.items())
    if not target or _is_seeded(estimator) or (target.startswith(EXACT) and not is_random):
        return []
    cls = estimator_arguments.locate(target, f"{key}._target_")
    if not hasattr(cls, "fit"):  # a splitter, which shuffles only where it is told to
        return []
    return [f"{key}.{name}" for name in SEEDS if name in estimator or name in estimator_arguments.argument_names(cls)]


def _target(estimator: dict[str, Any]) -> str:
    return str(estimator.get("_target_") or "")


def _is_seeded(estimator: dict[str, Any]) -> bool:
    return _target(estimator).startswith(BOOSTERS) or any(estimator.get(name) is not None for name in SEEDS)

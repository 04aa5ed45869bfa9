"""Arguments of boosters: those that XGBoost takes without naming them, and those that the pipeline makes useless."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlrunner.core.estimators import get_library

BOOSTERS = ("xgboost", "lightgbm", "catboost")
CATEGORY_ARGUMENTS = ("enable_categorical", "categorical_feature", "categorical_features", "cat_features")
XGBOOST_PARAMETERS = {
    *(
        "quantile_alpha",
        "tweedie_variance_power",
        "huber_slope",
        "aft_loss_distribution",
        "aft_loss_distribution_scale",
    ),
    *("sample_type", "normalize_type", "rate_drop", "one_drop", "skip_drop", "feature_selector", "top_k"),
    *("updater", "refresh_leaf", "process_type", "max_cached_hist_node", "seed_per_iteration"),
}  # as documented for release 3.2; its constructors take them as `**kwargs`


def booster_problems(arguments: Mapping[str, Any], cls: type, key: str) -> list[str]:
    """Return one sentence for each argument of a booster that the pipeline makes useless.

    Args:
        arguments: Arguments of the constructor.
        cls: Class of the estimator.
        key: Configuration key of the arguments, for the messages.
    """
    if get_library(cls) not in BOOSTERS:
        return []
    early = [name for name in arguments if name.startswith("early_stopping_round") and arguments[name] is not None]
    categories = [name for name in CATEGORY_ARGUMENTS if arguments.get(name) not in (None, False)]
    return [
        *(
            f"{key}.{name}: a model is fitted on training rows only; leave it out, and set "
            f"model.early_stopping={arguments[name]}, which stops on the validation rows."
            for name in early
        ),
        *(
            f"{key}.{name}: {cls.__name__} receives numbers, because the encoders of model.features come before it; "
            "leave it out, and set model.features.low_cardinality and model.features.high_cardinality."
            for name in categories
        ),
    ]

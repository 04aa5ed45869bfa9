"""Composed model options, and rows to fit them on."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from mlrunner.core.build import build
from mlrunner.groups.model import EstimatorModel
from tests.support.front_door import PROJECT

CONF = PROJECT / "conf"
OPTIONS = sorted(file.stem for file in (CONF / "model").glob("*.yaml"))
QUICK = {"n_estimators": 5, "iterations": 5, "max_iter": 200}
BOOSTED = {"hist_gradient_boosting": {"max_iter": 5}}
ROWS = 150


def compose_settings(name: str, task: str, *overrides: str) -> dict[str, Any]:
    """Compose one model option as a run does."""
    composed: dict[str, Any] = json.loads(_compose(name, task, overrides))
    return composed


@cache
def _compose(name: str, task: str, overrides: tuple[str, ...]) -> str:
    needed = ["+seed=0", "+threads=1", f"+dataset.task={task}", "+dataset.positive=null"]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        model = compose(overrides=[f"+model={name}", *needed, *overrides]).model
    return json.dumps(OmegaConf.to_container(model, resolve=True))


def build_option(name: str, task: str, *overrides: str, **estimator: Any) -> EstimatorModel:
    """Build one model option, with other arguments of its estimator."""
    composed = compose_settings(name, task, *overrides)
    if name == "custom" and composed["estimator"]["_target_"] is None:
        kind = "Regressor" if task == "regression" else "Classifier"
        composed["estimator"]["_target_"] = f"sklearn.tree.DecisionTree{kind}"
    model = build({**composed, "estimator": {**composed["estimator"], **estimator}}, "model")
    assert isinstance(model, EstimatorModel)
    return model


def build_small_option(name: str, task: str) -> EstimatorModel:
    """Build one model option with few trees."""
    arguments = compose_settings(name, task)["estimator"]
    few = BOOSTED.get(name, QUICK)
    return build_option(name, task, **{key: value for key, value in few.items() if key in arguments})


def raw_rows() -> pd.DataFrame:
    """Build rows of numbers, categories and free text, with missing values."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "key": [f"k{at // 3}" for at in range(ROWS)],
            "price": np.where(rng.random(ROWS) < 0.1, np.nan, rng.normal(size=ROWS)),
            "items": rng.integers(1, 9, ROWS),
            "state": rng.choice(np.array(["SP", "RJ", None], dtype=object), ROWS),
            "city": [f"city {value}" for value in rng.integers(0, 40, ROWS)],
            "comment": [f"it came as number {at} today" for at in range(ROWS)],
        }
    )

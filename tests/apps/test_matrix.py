"""Every model behind every cleaning on the embedded and the real tables: fitted, scored, and served raw rows.

The first rows of each table, without ZenML and MLflow; `test_run.py` holds those together with the rest. Behind the
default cleaning a model is as large as it is shipped; behind the others a few of its trees meet the same columns.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import DictConfig

from mlrunner.composition import Launch
from mlrunner.composition.checks import check
from mlrunner.core.build import build
from mlrunner.evaluation import metrics
from mlrunner.evaluation.scoring import features_of
from mlrunner.groups.cleaning import DataCleaning
from mlrunner.groups.model.packaging import assemble
from tests.support.front_door import PROJECT, SHARED

pytestmark = pytest.mark.slow
ROWS = 1200  # enough for every class and group to be met on each side
SERVED = 20
ALONE = [0, 4, 9, 13, 18]  # of those, the rows that are served by themselves as well
REAL = SHARED / "olist_customers_dataset.csv"
HOUSES = SHARED / "california_housing.csv"
TABLES = {
    "embedded": ([], None),
    "embedded-classes": (["dataset.task=classification"], None),
    "olist": ([f"dataset.path={REAL}"], REAL),
    "olist-classes": ([f"dataset.path={REAL}", "dataset.task=classification"], REAL),
    "california": (["dataset=csv", f"dataset.path={HOUSES}", "dataset.target=median_house_value"], HOUSES),
}
CLEANINGS = sorted(path.stem for path in (PROJECT / "conf/cleaning").glob("*.yaml"))
MODELS = sorted(path.stem for path in (PROJECT / "conf/model").glob("*.yaml") if path.stem != "custom")
SHIPPED = "preprocess"  # the default cleaning
TREES: dict[str, dict[str, float]] = {  # the arguments of an option that make it small, yet tell rows apart
    "catboost": {"iterations": 20, "learning_rate": 0.5},
    "hist_gradient_boosting": {"max_iter": 20, "learning_rate": 0.5},
    "lightgbm": {"n_estimators": 20, "learning_rate": 0.5},
    "rf": {"n_estimators": 20},
    "xgboost": {"n_estimators": 20, "learning_rate": 0.5},
}
NOT_FOR = {"linear_regression": "classification", "logistic_regression": "regression"}
CASES = [
    pytest.param(table, model, cleaning, id=f"{table}-{model}-{cleaning}")
    for table in TABLES
    for model in MODELS
    for cleaning in CLEANINGS
    if NOT_FOR.get(model) != ("classification" if table.endswith("classes") else "regression")
]


@pytest.mark.parametrize(("table", "model", "cleaning"), CASES)
def test_fits_scores_and_serves(
    table: str, model: str, cleaning: str, compose: Callable[[list[str]], DictConfig], tmp_path: Path
) -> None:
    overrides, needed = TABLES[table]
    if needed is not None and not needed.exists():
        pytest.skip(f"{needed} is not there")
    os.environ["MLRUNNER_HOME"] = str(tmp_path)
    chosen = [f"model={model}", f"cleaning={cleaning}", *([] if cleaning == SHIPPED else few_trees(model))]
    cfg = compose([*overrides, f"dataset.rows={ROWS}", *chosen, "threads=1"])
    checked = check(cfg, Launch({}, [], tmp_path))
    scores, served, whole = learn(checked)
    assert all(np.isfinite(value) for name, value in scores.items() if name not in ("mape", "roc_auc"))
    assert np.array_equal(served, whole)


def few_trees(model: str) -> list[str]:
    """Make a forest or a booster small; other models are what they are."""
    return [f"model.estimator.{name}={value}" for name, value in TREES.get(model, {}).items()]


def learn(checked: Any) -> tuple[dict[str, float], Any, Any]:
    """Clean, divide, fit and score; then answer raw rows together, and some of them alone."""
    composition, data = checked.composition, checked.data
    roles, strategy = data.dataset.roles, build(composition["cleaning"], "cleaning")
    division = build(composition["split"], "split").handle_data(DataCleaning(data.table, strategy, roles).handle_data())
    features, target = features_of(division.train, roles), division.train[roles.target]
    fitted = build(composition["model"], "model").build(features, data.task).fit(features, target)
    pipeline = assemble(fitted, strategy, roles, features, data.table)
    raw = data.table.head(SERVED)
    one_by_one = np.concatenate([np.ravel(pipeline.predict(raw.iloc[[row]])) for row in ALONE])
    validation = division.validation
    scores = metrics.score(fitted, features_of(validation, roles), validation[roles.target], data.task)
    whole = np.ravel(pipeline.predict(raw))[ALONE]
    return scores, one_by_one.astype(float).round(6), whole.astype(float).round(6)

"""Fit, score and serve models after cleanings on tables, without ZenML and MLflow: pairwise, 45 of 200 combinations.

Every pair of table and model, of model and cleaning, and of table and cleaning occurs, as far as the model supports
the task of the table. After `preprocess` a model has its shipped size; after the others, trees are few.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import DictConfig

from mlrunner.composition.checks import check
from mlrunner.composition.composition import Launch
from mlrunner.core.build import build
from mlrunner.evaluation.split_data import select_features
from mlrunner.groups.cleaning.controller import DataCleaning
from mlrunner.groups.model.packaging import assemble
from tests.support.front_door import PROJECT, SHARED
from tests.support.predictions import score

pytestmark = pytest.mark.slow
ROWS = 1200  # enough for every class and group to occur in each part
SERVED = 20
ALONE = [0, 4, 9, 13, 18]  # positions of the rows that are also served alone
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
SHIPPED = "preprocess"  # the cleaning that leaves the fewest columns
TREES: dict[str, dict[str, float]] = {  # few trees, whose predictions still differ between rows
    "catboost": {"iterations": 20, "learning_rate": 0.5},
    "hist_gradient_boosting": {"max_iter": 20, "learning_rate": 0.5},
    "lightgbm": {"n_estimators": 20, "learning_rate": 0.5},
    "rf": {"n_estimators": 20},
    "xgboost": {"n_estimators": 20, "learning_rate": 0.5},
}
NOT_FOR = {"linear_regression": "classification", "logistic_regression": "regression"}


def supports(model: str, table: str) -> bool:
    """Check whether a model supports the task of a table."""
    return NOT_FOR.get(model) != ("classification" if table.endswith("classes") else "regression")


def pairwise_cases() -> list[tuple[str, str, str]]:
    """Combine every model with every table, and rotate the cleanings so that every pair occurs."""
    cases = [
        (table, model, CLEANINGS[(at + row) % len(CLEANINGS)])
        for at, model in enumerate(MODELS)
        for row, table in enumerate(TABLES)
        if supports(model, table)
    ]
    for model, cleaning in product(MODELS, CLEANINGS):
        if not any(case[1:] == (model, cleaning) for case in cases):
            tables = [table for table in TABLES if supports(model, table)]
            missing = [table for table in tables if not any(case[::2] == (table, cleaning) for case in cases)]
            cases.append(((missing or tables)[0], model, cleaning))
    return cases


CASES = pairwise_cases()


def test_every_pair_occurs() -> None:
    assert {(table, model) for table, model, _ in CASES} == {(t, m) for t in TABLES for m in MODELS if supports(m, t)}
    assert {(model, cleaning) for _, model, cleaning in CASES} == {(m, c) for m in MODELS for c in CLEANINGS}
    assert {(table, cleaning) for table, _, cleaning in CASES} == {(t, c) for t in TABLES for c in CLEANINGS}


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
    scores, served, whole = learn(check(cfg, Launch({}, [], tmp_path)))
    assert all(np.isfinite(value) for name, value in scores.items() if name not in ("mape", "roc_auc"))
    assert np.array_equal(served, whole)


@pytest.mark.parametrize("model", MODELS)
def test_fits_the_same_digits_twice(model: str, compose: Callable[[list[str]], DictConfig], tmp_path: Path) -> None:
    """With the threads of a user; that a whole run is reproduced is tested in `test_reproduce`."""
    os.environ["MLRUNNER_HOME"] = str(tmp_path)
    table = next(table for table in TABLES if supports(model, table))
    cfg = compose([*TABLES[table][0], "dataset.rows=800", f"model={model}", *few_trees(model)])
    checked = check(cfg, Launch({}, [], tmp_path))
    first, second = (learn(checked)[0] for _ in range(2))
    assert first == pytest.approx(second, rel=0, abs=0, nan_ok=True)


def few_trees(model: str) -> list[str]:
    """Return the overrides that make a forest or a booster small."""
    return [f"model.estimator.{name}={value}" for name, value in TREES.get(model, {}).items()]


def learn(checked: Any) -> tuple[dict[str, float], Any, Any]:
    """Clean, divide, fit and score; then predict raw rows together and each alone."""
    composition, data = checked.composition, checked.data
    roles, strategy = data.dataset.roles, build(composition["cleaning"], "cleaning")
    division = build(composition["split"], "split").handle_data(DataCleaning(data.table, strategy, roles).handle_data())
    features, target = select_features(division.train, roles), division.train[roles.target]
    fitted = build(composition["model"], "model").build(features, data.task).fit(features, target)
    pipeline = assemble(fitted, strategy, roles, features, data.table)
    raw = data.table.head(SERVED)
    one_by_one = np.concatenate([np.ravel(pipeline.predict(raw.iloc[[row]])) for row in ALONE])
    validation = division.validation
    scores = score(fitted, select_features(validation, roles), validation[roles.target], data.task)
    whole = np.ravel(pipeline.predict(raw))[ALONE]
    return scores, one_by_one.astype(float).round(6), whole.astype(float).round(6)

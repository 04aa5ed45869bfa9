"""Boosting rounds and thresholds that a fit finds on held-out rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from mlrunner.core.folds import mark_partition
from mlrunner.groups.model import ModelNameConfig
from mlrunner.steps import fitting
from mlrunner.steps.recording import RunContext
from mlrunner.tracking.background_writer import RECORDER
from tests.support.fits import KEEP_ALL, NO_FOLDS, PROBLEM, RAW, TEST, TRAIN, VALIDATION
from tests.support.trials import feature_settings, model_settings

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:alembic", "ignore::ResourceWarning")
FEW = pd.DataFrame({"x": [0, 0, 1, 1, 0, 0, 0, 1, 1, 1], "y": [*"nyyy", *"nnynyy"]})


@pytest.mark.parametrize(("folds", "expected"), [(False, 6 / 7), (True, (6 / 7 + 6 / 9) / 2)], ids=["rows", "folds"])
def test_the_threshold_is_tuned_on_held_out_rows(
    folds: bool, expected: float, run: RunContext, client: MlflowClient
) -> None:
    """A tree that learns the last six rows gives y 1/3 at x = 0 and 2/3 at x = 1.

    For the first four, f1 is 6/7 at 1/6 and 4/5 at 1/2. The folds are these four and those six, for which a tree that
    learns the four gives 1/2 and 1, and f1 is 6/9 up to 1; the mean is best at 1/6.
    """
    tree = model_settings("sklearn.tree.DecisionTreeClassifier", feature_settings())
    config = ModelNameConfig(name="tree", settings={**tree, "threshold": "tuned", "threshold_metric": "f1"})
    problem, run = (
        PROBLEM.model_copy(update={"task": "classification"}),
        run.model_copy(update={"objective": "roc_auc"}),
    )
    parts = (FEW, FEW.head(0)) if folds else (FEW.iloc[4:], FEW.iloc[:4])
    numbers = mark_partition([0] * 4 + [1] * 6) if folds else NO_FOLDS
    fitted = fitting.train.entrypoint(*parts, numbers, FEW, problem, KEEP_ALL, config, run)
    assert fitted.pipeline[-1].threshold == pytest.approx(1 / 6)
    scores = fitting.evaluate.entrypoint(fitted, *parts, FEW, numbers, problem, config, run)
    again = replace(fitted, validated=None)  # as in another process
    assert fitting.evaluate.entrypoint(again, *parts, FEW, numbers, problem, config, run) == scores
    assert scores["f1"] == pytest.approx(expected)
    RECORDER.flush()
    assert client.get_run(run.run_id).data.metrics["threshold"] == scores["threshold"] == fitted.pipeline[-1].threshold


def test_the_rounds_of_early_stopping_are_recorded_and_kept_in_the_refit(
    compose: Any, run: RunContext, client: MlflowClient
) -> None:
    from mlrunner.composition.resolve import resolve_group

    overrides = ["model=xgboost", "dataset=csv", "dataset.target=y", "dataset.task=regression"]
    settings = resolve_group(compose([*overrides, "model.early_stopping=3", "threads=1"]), "model")
    config = ModelNameConfig(name="xgboost", settings=settings)
    model, again = (
        step.entrypoint(TRAIN, VALIDATION, NO_FOLDS, RAW, PROBLEM, KEEP_ALL, config, run)
        for step in (fitting.train, fitting.refit)
    )
    fitting.evaluate.entrypoint(model, TRAIN, VALIDATION, TEST, NO_FOLDS, PROBLEM, config, run)
    RECORDER.flush()
    rounds = client.get_run(run.run_id).data.metrics["rounds"]
    assert rounds == model.pipeline[-1].n_estimators == again.pipeline[-1].n_estimators < 300
    assert not np.array_equal(model.pipeline.predict(TEST), again.pipeline.predict(TEST))

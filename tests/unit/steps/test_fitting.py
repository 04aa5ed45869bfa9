"""The steps that fit and score, called without a pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from sklearn.base import BaseEstimator
from sklearn.metrics import r2_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from mlrunner.core.errors import DataError, ModelError
from mlrunner.core.folds import FINAL, FIT, HELD_OUT, UNUSED
from mlrunner.groups.model import ModelNameConfig
from mlrunner.steps import fitting
from mlrunner.steps.judged_rows import describe_judged_rows
from mlrunner.steps.materializers import FittedModel
from mlrunner.steps.recording import RunContext
from mlrunner.tracking.background_writer import RECORDER
from mlrunner.tracking.records.record import TEST_ROWS_TAG, VALIDATION_ROWS_TAG
from tests.support.fits import KEEP_ALL, NO_FOLDS, PROBLEM, RAW, TEST, TRAIN, VALIDATION

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:alembic", "ignore::ResourceWarning")


@pytest.fixture
def config(compose: Any) -> ModelNameConfig:
    from mlrunner.composition.resolve import resolve_group

    overrides = ["model=ridge", "dataset=csv", "dataset.target=y", "dataset.task=regression"]
    return ModelNameConfig(name="ridge", settings=resolve_group(compose(overrides), "model"))


def train(config: ModelNameConfig, run: RunContext) -> FittedModel:
    model: FittedModel = fitting.train.entrypoint(TRAIN, VALIDATION, NO_FOLDS, RAW, PROBLEM, KEEP_ALL, config, run)
    return model


def test_trained_model_takes_raw_rows(config: ModelNameConfig, run: RunContext) -> None:
    model = train(config, run)
    assert (model.uri, model.fit_seconds > 0) == (None, True)
    assert r2_score(TEST["y"], model.pipeline.predict(TEST[["b", "a"]])) > 0.95


def test_refit_learns_from_the_validation_rows_too(config: ModelNameConfig, run: RunContext) -> None:
    both = pd.concat([TRAIN, VALIDATION])
    fit = RAW, PROBLEM, KEEP_ALL, config, run
    expected = fitting.train.entrypoint(both, VALIDATION, NO_FOLDS, *fit).pipeline.predict(TEST)
    refitted = fitting.refit.entrypoint(TRAIN, VALIDATION, NO_FOLDS, *fit).pipeline.predict(TEST)
    np.testing.assert_array_equal(refitted, expected)
    assert not np.array_equal(refitted, train(config, run).pipeline.predict(TEST))


def test_evaluate_scores_and_logs_every_part(config: ModelNameConfig, run: RunContext, client: MlflowClient) -> None:
    model = train(config, run)
    scores = fitting.evaluate.entrypoint(model, TRAIN, VALIDATION, TEST, NO_FOLDS, PROBLEM, config, run)
    for part, rows in (("train", TRAIN), ("validation", VALIDATION), ("test", TEST)):
        assert scores[f"{part}/r2"] == pytest.approx(r2_score(rows["y"], model.pipeline.predict(rows)), rel=1e-12)
    assert scores["r2"] == scores["validation/r2"]
    RECORDER.flush()
    tags = client.get_run(run.run_id).data.tags
    assert {name: tags[name] for name in (TEST_ROWS_TAG, VALIDATION_ROWS_TAG)} == describe_judged_rows(
        PROBLEM, run.objective, TEST, VALIDATION
    )
    logged = client.get_run(run.run_id).data.metrics
    assert logged["test/r2"] == scores["test/r2"]
    assert logged["fit_seconds"] == model.fit_seconds


class HalfNan(BaseEstimator):
    """Predicts NaN where `b` is negative."""

    def fit(self, x: Any, y: Any) -> HalfNan:
        self.fitted_ = len(x), len(y)
        return self

    def predict(self, x: pd.DataFrame) -> Any:
        return np.where(x["b"] < 0, np.nan, 1.0)


def half_nan() -> FittedModel:
    steps = [("cleaning", FunctionTransformer()), ("estimator", HalfNan())]
    return FittedModel(Pipeline(steps).fit(TRAIN[["a", "b"]], TRAIN["y"]), None, 0.0)


def test_a_model_that_predicts_nan_is_refused(config: ModelNameConfig, run: RunContext) -> None:
    negative = {part: int((rows["b"] < 0).sum()) for part, rows in (("train", RAW[:70]), ("test", TEST))}
    message = (
        rf"predicts NaN in {sum(negative.values())} of 90 rows \({negative['train']} of train, {negative['test']} of"
    )
    with pytest.raises(ModelError, match="predicts NaN in "):
        fitting.evaluate.entrypoint(half_nan(), TRAIN, VALIDATION, TEST, NO_FOLDS, PROBLEM, config, run)
    with pytest.raises(ModelError, match=message):
        fitting.judge.entrypoint(half_nan(), TRAIN, VALIDATION, TEST, NO_FOLDS, {}, PROBLEM, config, run)


def test_an_undefined_objective_is_refused_and_another_is_not(config: ModelNameConfig, run: RunContext) -> None:
    flat, model = VALIDATION.assign(y=1.0), train(config, run)
    with pytest.raises(DataError, match=r"objective\.metric=r2 is undefined for the validation rows, whose target"):
        fitting.evaluate.entrypoint(model, TRAIN, flat, TEST, NO_FOLDS, PROBLEM, config, run)
    run = run.model_copy(update={"objective": "mae"})
    assert fitting.evaluate.entrypoint(model, TRAIN, flat, TEST, NO_FOLDS, PROBLEM, config, run)["mae"] > 0


def test_the_final_model_is_fitted_on_its_window(config: ModelNameConfig, run: RunContext) -> None:
    """One fold of a rolling split; the window of the final model is the newest 20 rows."""
    columns = {"0": [FIT] * 20 + [UNUSED] * 5 + [HELD_OUT] * 25, FINAL: [UNUSED] * 30 + [FIT] * 20}
    folds, more = pd.DataFrame(columns, index=TRAIN.index), (RAW, PROBLEM, KEEP_ALL, config, run)
    known = fitting.train.entrypoint(TRAIN[30:], VALIDATION, NO_FOLDS, *more)
    for step in (fitting.train, fitting.refit):
        model = step.entrypoint(TRAIN, VALIDATION[:0], folds, *more)
        assert model.pipeline.predict(TEST).tolist() == known.pipeline.predict(TEST).tolist()
    window = float(np.abs(known.pipeline.predict(TRAIN[30:]) - TRAIN["y"][30:]).mean())
    judged = fitting.judge.entrypoint(model, TRAIN, VALIDATION[:0], TEST, folds, {}, PROBLEM, config, run)
    assert judged["train/mae"] == pytest.approx(window)


def test_judge_adds_the_scores_of_the_trial(config: ModelNameConfig, run: RunContext) -> None:
    model = fitting.refit.entrypoint(TRAIN, VALIDATION, NO_FOLDS, RAW, PROBLEM, KEEP_ALL, config, run)
    validated = {"validation/r2": 0.5}
    scores = fitting.judge.entrypoint(model, TRAIN, VALIDATION, TEST, NO_FOLDS, validated, PROBLEM, config, run)
    assert scores["validation/r2"] == 0.5
    assert scores["test/r2"] == pytest.approx(r2_score(TEST["y"], model.pipeline.predict(TEST)), rel=1e-12)
    RECORDER.flush()


def test_trial_returns_the_scores_of_the_worker() -> None:
    assert fitting.trial.entrypoint(TRAIN, VALIDATION, 3, "COMPLETE", ["a=1"], {}, {"r2": 0.5}) == {"r2": 0.5}

"""Scores by part and metric name, and the plots of a model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier

from mlrunner.core.column_roles import Roles
from mlrunner.core.folds import FINAL, FIT, HELD_OUT, UNUSED
from mlrunner.evaluation import scoring, split_data
from mlrunner.evaluation.metrics import measure, metric_names
from mlrunner.evaluation.predictions import predict
from mlrunner.evaluation.scoring import Evaluation
from mlrunner.evaluation.split_data import SplitData
from mlrunner.groups.model import Model
from tests.support.plots import read_legend
from tests.support.samples import pipeline
from tests.support.split_rows import ROLES, split_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from sklearn.pipeline import Pipeline

    from mlrunner.core.column_roles import Task

ESTIMATORS: dict[str, tuple[Task, Any]] = {
    "regression": ("regression", LinearRegression()),
    "classification": ("classification", LogisticRegression()),
    "labels only": ("classification", RidgeClassifier()),
    "boosted regression": ("regression", GradientBoostingRegressor(n_estimators=3)),
    "boosted classification": ("classification", GradientBoostingClassifier(n_estimators=3)),
}


@dataclass
class FixedModel(Model):
    """Build a pipeline of the sample features and one estimator."""

    estimator: Any

    def build(self, table: pd.DataFrame, task: Task) -> Pipeline:
        del table, task
        return pipeline(self.estimator)

    def problems(self, task: Task) -> list[str]:
        del task
        return []


def evaluate(name: str, folds: int = 0) -> tuple[Any, SplitData, Evaluation, Task]:
    task, estimator = ESTIMATORS[name]
    data, model = split_rows(task, folds), FixedModel(estimator)
    features, target = data.of("train")
    fitted = model.build(features, task).fit(features, target)
    return fitted, data, scoring.evaluate(fitted, data, model, task), task


def draw(name: str, folds: int = 0, subject: str = "olist (synthetic) · xgboost") -> dict[str, Figure]:
    fitted, data, evaluation, task = evaluate(name, folds)
    return scoring.draw_figures(fitted, data, evaluation, task, 0, subject)


# --- scores -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["regression", "classification"])
def test_hold_out_scores_have_a_part_and_validation_also_none(name: str) -> None:
    _, _, evaluation, task = evaluate(name)
    names = metric_names(task)
    assert set(evaluation.scores) == {
        *names,
        *(f"{part}/{n}" for part in ("train", "validation", "test") for n in names),
    }
    assert {n: evaluation.scores[n] for n in names} == {n: evaluation.scores[f"validation/{n}"] for n in names}
    assert len(evaluation.predictions.y_true) == 30


@pytest.mark.parametrize("name", ["regression", "classification"])
def test_fold_scores_have_the_part_cv_and_a_standard_deviation(name: str) -> None:
    _, data, evaluation, task = evaluate(name, folds=3)
    names = metric_names(task)
    expected = {*names, *(f"{part}/{n}" for part in ("train", "test", "cv") for n in names)}
    assert set(evaluation.scores) == expected | {f"cv/{n}_std" for n in names}
    means = {n: evaluation.scores[f"cv/{n}"] for n in names}
    assert {n: evaluation.scores[n] for n in names} == pytest.approx(means, rel=0, abs=0, nan_ok=True)
    assert len(evaluation.predictions.y_true) == len(data.train)


def test_each_part_is_scored_on_its_own_rows() -> None:
    fitted, data, evaluation, task = evaluate("regression")
    for part in ("train", "validation", "test"):
        expected = measure(predict(fitted, *data.of(part), task), task)
        assert {name: evaluation.scores[f"{part}/{name}"] for name in expected} == pytest.approx(expected, nan_ok=True)


def test_folds_are_scored_by_models_of_the_other_folds() -> None:
    _, data, evaluation, task = evaluate("regression", folds=3)
    features, target = data.of("train")
    scores = []
    for number in range(3):
        is_held_out = np.arange(len(features)) % 3 == number
        fitted = pipeline(LinearRegression()).fit(features[~is_held_out], target[~is_held_out])
        scores.append(measure(predict(fitted, features[is_held_out], target[is_held_out], task), task)["rmse"])
    assert evaluation.scores["cv/rmse"] == pytest.approx(np.mean(scores))
    assert evaluation.scores["cv/rmse_std"] == pytest.approx(np.std(scores))


def test_a_rolling_split_scores_each_window_and_the_final_one() -> None:
    task, estimator = ESTIMATORS["regression"]
    whole = split_rows(task, folds=2)
    marks = {"0": [FIT] * 20 + [UNUSED] * 5 + [HELD_OUT] * 20 + [UNUSED] * 45, FINAL: [UNUSED] * 70 + [FIT] * 20}
    data = replace(whole, folds=pd.DataFrame(marks, index=whole.train.index))
    features, target = data.of("train")
    first, last = (
        pipeline(LinearRegression()).fit(features[rows], target[rows]) for rows in (slice(20), slice(70, 90))
    )
    evaluation = scoring.evaluate(last, data, FixedModel(estimator), task)
    expected = (
        measure(predict(first, features[25:45], target[25:45], task), task)["rmse"],
        measure(predict(last, features[70:], target[70:], task), task)["rmse"],
    )
    assert (evaluation.scores["cv/rmse"], evaluation.scores["train/rmse"]) == pytest.approx(expected)
    assert evaluation.folds is not None
    assert evaluation.folds.held_out_ratio == 1.0  # 20 rows are held out, and 20 train


def test_scores_of_probabilities_are_absent_without_them() -> None:
    scores = evaluate("labels only")[2].scores
    assert "validation/accuracy" in scores
    assert not [name for name in scores if name.endswith(("roc_auc", "log_loss"))]


def test_an_empty_test_part_has_no_scores() -> None:
    task, estimator = ESTIMATORS["regression"]
    whole = split_rows(task)
    data = SplitData(whole.train, whole.validation, whole.test[:0], whole.folds, ROLES)
    fitted = pipeline(estimator).fit(*data.of("train"))
    evaluation = scoring.evaluate(fitted, data, FixedModel(estimator), task)
    assert not [name for name in evaluation.scores if name.startswith("test/")]


# --- figures ------------------------------------------------------------------------------------------------

REGRESSION = ["predicted_vs_actual", "residuals", "feature_importance"]
CLASSIFICATION = ["confusion_matrix", "roc", "pr", "feature_importance"]


@pytest.mark.parametrize(
    ("name", "folds", "figures"),
    [
        ("regression", 3, REGRESSION),
        ("classification", 0, CLASSIFICATION),
        ("labels only", 3, ["confusion_matrix", "feature_importance"]),
        ("boosted classification", 3, [*CLASSIFICATION, "learning_curve"]),
    ],
)
def test_the_task_and_the_model_decide_the_figures(name: str, folds: int, figures: list[str]) -> None:
    assert list(draw(name, folds)) == figures


@pytest.mark.parametrize(
    ("folds", "part", "fitted_part", "sides"),
    [(0, "validation", "validation", ["held out", "train"]), (3, "cv", "train", ["train"])],
    ids=["hold-out", "folds"],
)
def test_every_figure_names_data_set_model_and_part(folds: int, part: str, fitted_part: str, sides: list[str]) -> None:
    figures = draw("boosted regression", folds)
    assert list(figures) == [*REGRESSION, "learning_curve"]
    assert read_legend(figures["learning_curve"]) == sides
    lines = {name: figure.texts[1].get_text() for name, figure in figures.items()}
    about = "olist (synthetic) · xgboost"
    for name in ("predicted_vs_actual", "residuals"):
        assert lines.pop(name).startswith(f"{about} · {part} · ")
    assert lines == dict.fromkeys(["feature_importance", "learning_curve"], f"{about} · {fitted_part}")


def test_without_a_subject_figures_name_the_part() -> None:
    assert draw("regression", subject="")["feature_importance"].texts[1].get_text() == "validation"


def test_held_out_parts_have_the_group_of_each_row() -> None:
    _, data, evaluation, _ = evaluate("regression")
    assert {part: list(clusters) for part, (_, _, clusters) in evaluation.held_out.items()} == {
        part: list(getattr(data, part)["group"]) for part in ("validation", "test")
    }
    assert scoring.identify_rows(data.test, Roles("score"))[1] is None


def test_a_refitted_model_is_scored_on_its_training_rows_and_the_test_rows() -> None:
    task, estimator = ESTIMATORS["regression"]
    data = split_rows(task)
    known = split_data.concatenate_training_rows(data.train, data.validation)
    assert len(known) == 90
    fitted = pipeline(estimator).fit(split_data.select_features(known, ROLES), known["score"])
    evaluation = scoring.evaluate_on_test(fitted, replace(data, train=known), task)
    assert set(evaluation.scores) == {f"{part}/{name}" for part in ("train", "test") for name in metric_names(task)}
    assert evaluation.held_out["test"].rows == scoring.digest_rows(data.test)
    assert len(evaluation.predictions.y_true) == 30

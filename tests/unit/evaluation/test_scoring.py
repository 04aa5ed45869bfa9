"""What is scored on which part, under which names, and what is drawn of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier

from mlrunner.core.column_roles import Roles
from mlrunner.evaluation import scoring
from mlrunner.evaluation.metrics import metric_names, score
from mlrunner.evaluation.scoring import Evaluation, SplitData
from mlrunner.groups.model import Model
from tests.support.samples import pipeline, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from sklearn.pipeline import Pipeline

    from mlrunner.core.column_roles import Task

ROLES = Roles("score", group="group", time="time")
ESTIMATORS: dict[str, tuple[Task, Any]] = {
    "regression": ("regression", LinearRegression()),
    "classification": ("classification", LogisticRegression()),
    "labels only": ("classification", RidgeClassifier()),
    "boosted regression": ("regression", GradientBoostingRegressor(n_estimators=3)),
    "boosted classification": ("classification", GradientBoostingClassifier(n_estimators=3)),
}


@dataclass
class Named(Model):
    """Build one estimator behind the sample's features."""

    estimator: Any

    def build(self, table: pd.DataFrame, task: Task) -> Pipeline:
        del table, task
        return pipeline(self.estimator)

    def problems(self, task: Task) -> list[str]:
        del task
        return []


def cleaned(task: Task, rows: int = 120) -> pd.DataFrame:
    """Put target, group and time beside the features, as cleaning does; labels do not start at 0."""
    features, target = table(rows)
    known = target if task == "regression" else (target > 0).map({True: "yes", False: "no"})
    days = pd.date_range("2024-01-01", periods=rows)
    whole = features.assign(score=known, group=np.arange(rows) // 2, time=days)
    return whole.set_axis(pd.RangeIndex(1_000, 1_000 + rows))


def parts(task: Task, folds: int = 0) -> SplitData:
    """Share 120 rows out: 60, 30 and 30, or 90 in folds and 30."""
    whole = cleaned(task)
    train = whole[:90] if folds else whole[:60]
    numbers = pd.DataFrame({"fold": np.arange(90) % folds}, index=train.index) if folds else pd.DataFrame({"fold": []})
    return SplitData(train, whole[:0] if folds else whole[60:90], whole[90:], numbers, ROLES)


def evaluated(name: str, folds: int = 0) -> tuple[Any, SplitData, Evaluation, Task]:
    task, estimator = ESTIMATORS[name]
    shared, model = parts(task, folds), Named(estimator)
    features, target = shared.of("train")
    fitted = model.build(features, task).fit(features, target)
    return fitted, shared, scoring.evaluate(fitted, shared, model, task), task


def drawn(name: str, folds: int = 0, subject: str = "olist (synthetic) · xgboost") -> dict[str, Figure]:
    fitted, shared, found, task = evaluated(name, folds)
    return scoring.draw_figures(fitted, shared, found, task, 0, subject)


# --- parts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("roles", "kept"),
    [
        (ROLES, ["strong", "town", "none"]),
        (Roles("score"), ["strong", "town", "none", "group", "time"]),
        (Roles("score", group="group", time="absent"), ["strong", "town", "none", "time"]),
        (Roles("absent"), ["strong", "town", "none", "score", "group", "time"]),
    ],
    ids=["all parts", "target only", "time absent", "no target"],
)
def test_features_are_what_plays_no_part(roles: Roles, kept: list[str]) -> None:
    assert list(scoring.select_features(cleaned("regression"), roles).columns) == kept


@pytest.mark.parametrize(("part", "rows"), [("train", 60), ("validation", 30), ("test", 30)])
def test_a_part_gives_features_and_target_row_by_row(part: str, rows: int) -> None:
    features, target = parts("regression").of(part)
    assert (len(features), target.name) == (rows, "score")
    assert features.index.equals(target.index)


@pytest.mark.parametrize(("folds", "chooser"), [(0, "validation"), (3, "cv")])
def test_the_objective_comes_from_validation_or_the_folds(folds: int, chooser: str) -> None:
    assert parts("regression", folds).objective_part == chooser


# --- scores -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["regression", "classification"])
def test_hold_out_scores_are_named_by_part_and_bare_for_validation(name: str) -> None:
    _, _, found, task = evaluated(name)
    names = metric_names(task)
    assert set(found.scores) == {*names, *(f"{part}/{n}" for part in ("train", "validation", "test") for n in names)}
    assert {n: found.scores[n] for n in names} == {n: found.scores[f"validation/{n}"] for n in names}
    assert len(found.predictions.y_true) == 30


@pytest.mark.parametrize("name", ["regression", "classification"])
def test_fold_scores_are_named_cv_with_their_spread_and_bare(name: str) -> None:
    _, shared, found, task = evaluated(name, folds=3)
    names = metric_names(task)
    expected = {*names, *(f"{part}/{n}" for part in ("train", "test", "cv") for n in names)}
    assert set(found.scores) == expected | {f"cv/{n}_std" for n in names}
    assert {n: found.scores[n] for n in names} == {n: found.scores[f"cv/{n}"] for n in names}
    assert len(found.predictions.y_true) == len(shared.train)


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_each_part_is_scored_on_its_own_rows(part: str) -> None:
    fitted, shared, found, task = evaluated("regression")
    expected = score(fitted, *shared.of(part), task)
    assert {name: found.scores[f"{part}/{name}"] for name in expected} == pytest.approx(expected)


def test_folds_are_scored_by_models_that_never_saw_them() -> None:
    _, shared, found, task = evaluated("regression", folds=3)
    features, target = shared.of("train")
    scores = []
    for number in range(3):
        inside = (shared.folds["fold"] == number).to_numpy()
        fitted = pipeline(LinearRegression()).fit(features[~inside], target[~inside])
        scores.append(score(fitted, features[inside], target[inside], task)["rmse"])
    assert found.scores["cv/rmse"] == pytest.approx(np.mean(scores))
    assert found.scores["cv/rmse_std"] == pytest.approx(np.std(scores))


def test_an_estimator_without_probabilities_has_no_score_that_needs_them() -> None:
    scores = evaluated("labels only")[2].scores
    assert "validation/accuracy" in scores
    assert not [name for name in scores if name.endswith(("roc_auc", "log_loss"))]


def test_an_empty_test_part_has_no_scores() -> None:
    task, estimator = ESTIMATORS["regression"]
    whole = parts(task)
    shared = SplitData(whole.train, whole.validation, whole.test[:0], whole.folds, ROLES)
    fitted = pipeline(estimator).fit(*shared.of("train"))
    found = scoring.evaluate(fitted, shared, Named(estimator), task)
    assert not [name for name in found.scores if name.startswith("test/")]


# --- figures ------------------------------------------------------------------------------------------------

REGRESSION = ["predicted_vs_actual", "residuals", "feature_importance"]
CLASSIFICATION = ["confusion_matrix", "roc", "pr", "feature_importance"]


@pytest.mark.parametrize("folds", [0, 3], ids=["hold-out", "folds"])
@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("regression", REGRESSION),
        ("classification", CLASSIFICATION),
        ("labels only", ["confusion_matrix", "feature_importance"]),
        ("boosted regression", [*REGRESSION, "learning_curve"]),
        ("boosted classification", [*CLASSIFICATION, "learning_curve"]),
    ],
)
def test_the_task_and_the_model_decide_the_figures(name: str, figures: list[str], folds: int) -> None:
    assert list(drawn(name, folds)) == figures


@pytest.mark.parametrize(("folds", "sides"), [(0, ["held out", "train"]), (3, ["train"])])
def test_the_learning_curve_has_the_sides_that_have_rows(folds: int, sides: list[str]) -> None:
    legend = drawn("boosted regression", folds)["learning_curve"].axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == sides


@pytest.mark.parametrize(
    ("folds", "judged", "inspected"), [(0, "validation", "validation"), (3, "cv", "train")], ids=["hold-out", "folds"]
)
def test_every_figure_says_data_set_model_and_part(folds: int, judged: str, inspected: str) -> None:
    figures = drawn("boosted regression", folds)
    lines = {name: figure.texts[1].get_text() for name, figure in figures.items()}
    about = "olist (synthetic) · xgboost"
    for name in ("predicted_vs_actual", "residuals"):
        assert lines.pop(name).startswith(f"{about} · {judged} · ")
    assert lines == dict.fromkeys(["feature_importance", "learning_curve"], f"{about} · {inspected}")


def test_without_a_subject_the_part_stands_alone() -> None:
    assert drawn("regression", subject="")["feature_importance"].texts[1].get_text() == "validation"


def test_rows_that_belong_together_are_told_beside_what_judges_them() -> None:
    _, shared, found, _ = evaluated("regression")
    assert {part: list(clusters) for part, (_, _, clusters) in found.held_out.items()} == {
        part: list(getattr(shared, part)["group"]) for part in ("validation", "test")
    }
    assert scoring.identify_rows(shared.test, Roles("score"))[1] is None

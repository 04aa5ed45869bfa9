"""Reports between boosting rounds are the metrics of models with as many rounds."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from xgboost import XGBRegressor

from mlrunner.core.column_roles import Roles
from mlrunner.search.trial import TrialTask
from mlrunner.search.trial.boosting import MAX_REPORTS, RoundReporter, detach
from tests.support.trials import Data, Listener, family_settings, make_rows, run_complete, run_trial

libraries = pytest.mark.parametrize("name", ["xgboost", "lightgbm"])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return Data(tmp_path_factory.mktemp("boosted") / "files")


@pytest.fixture(scope="module")
def two_classes(tmp_path_factory: pytest.TempPathFactory) -> Data:
    tables = [make_rows(240, 1), make_rows(90, 2)]
    tables = [table.assign(label=np.where(table["y"] > 20, "yes", "no")) for table in tables]
    return Data(tmp_path_factory.mktemp("classes") / "files", *tables)


def run_reporting(
    data: Data, settings: dict[str, Any], task: str = "regression", **more: Any
) -> tuple[dict[int, float], dict[str, float]]:
    """Return the reports of a trial by round, and its metrics."""
    listener = Listener()
    scores = run_complete(data.task(settings, task=task, prunes=True, **more), listener)
    assert len(dict(listener.reports)) == len(listener.reports)
    return dict(listener.reports), scores


@pytest.mark.parametrize(
    ("name", "task", "classes", "metric"),
    [
        ("xgboost", "regression", 0, "r2"),
        ("lightgbm", "regression", 0, "median_absolute_error"),
        ("xgboost", "classification", 2, "accuracy"),
        ("xgboost", "classification", 3, "log_loss"),
        ("lightgbm", "classification", 3, "f1_macro"),
        ("lightgbm", "classification", 2, "roc_auc"),
    ],
)
def test_a_report_is_the_metric_of_a_model_with_that_many_rounds(
    name: str, task: str, classes: int, metric: str, data: Data, two_classes: Data
) -> None:
    rows = two_classes if classes == 2 else data
    reports, scores = run_reporting(rows, family_settings(name, task), task, metric=metric)
    assert list(reports) == list(range(1, 13))
    assert reports[12] == pytest.approx(scores[metric], rel=1e-5)
    for rounds in (1, 5):
        fewer = run_complete(rows.task(family_settings(name, task, n_estimators=rounds), task=task, metric=metric))
        assert reports[rounds] == pytest.approx(fewer[metric], rel=1e-5)


@pytest.mark.parametrize(("name", "task"), [("xgboost", "classification"), ("lightgbm", "regression")])
def test_reports_do_not_change_the_score(name: str, task: str, data: Data) -> None:
    settings = family_settings(name, task)
    assert run_reporting(data, settings, task)[1] == run_complete(data.task(settings, task=task))


@pytest.mark.parametrize(
    ("name", "rounds", "steps"),
    [("xgboost", 1, [1]), ("lightgbm", 25, list(range(1, 26))), ("xgboost", 49, list(range(2, 49, 2)))],
)
def test_a_long_fit_reports_at_most_so_often(name: str, rounds: int, steps: list[int], data: Data) -> None:
    reports = list(run_reporting(data, family_settings(name, n_estimators=rounds, max_depth=1))[0])
    assert reports == steps
    assert len(reports) <= MAX_REPORTS


@libraries
def test_a_report_can_prune_the_trial(name: str, data: Data) -> None:
    listener = Listener(until=3)
    task = data.task(family_settings(name, "classification"), task="classification", prunes=True)
    result = run_trial(task, listener)
    assert (result.state, result.error, result.scores, result.metrics) == ("PRUNED", None, [], {})
    assert [step for step, _ in listener.reports] == [1, 2, 3]
    assert run_complete(task) == run_complete(replace(task, prunes=False))


@libraries
def test_with_folds_the_folds_are_reported(name: str, data: Data) -> None:
    assert list(run_reporting(data, family_settings(name), folds=True)[0]) == [0, 1, 2]


@pytest.mark.parametrize(("name", "task"), [("ridge", "classification"), ("rf", "regression")])
def test_other_estimators_report_nothing(name: str, task: str, data: Data) -> None:
    assert run_reporting(data, family_settings(name, task), task)[0] == {}


@libraries
def test_a_class_that_training_lacks_is_left_out_of_the_reports(name: str, tmp_path: Path) -> None:
    train, validation = make_rows(240, 1), make_rows(90, 2)
    odd = validation.assign(label=validation["label"].where(np.arange(90) > 4, "unknown"))
    settings, options = family_settings(name, "classification"), {"task": "classification", "metric": "log_loss"}
    reports, scores = run_reporting(Data(tmp_path / "odd", train, odd), settings, **options)
    expected, known = run_reporting(Data(tmp_path / "known", train, validation[5:]), settings, **options)
    assert reports == pytest.approx(expected)
    assert scores["log_loss"] > known["log_loss"]  # the score of the trial includes these rows


def test_nan_is_not_reported(tmp_path: Path) -> None:
    """One class alone has no area under its curve."""
    tables = [make_rows(240, 1), make_rows(90, 2).assign(label="low")]
    tables = [table.assign(label=np.where(table["label"] == "low", "low", "other")) for table in tables]
    settings, listener = family_settings("xgboost", "classification"), Listener()
    task = Data(tmp_path / "one", *tables).task(settings, task="classification", metric="roc_auc", prunes=True)
    result = run_trial(task, listener)
    assert (listener.reports, result.state, result.error) == ([], "FAIL", "roc_auc is nan")


@pytest.mark.parametrize("labels", ["text", "whole numbers"])
def test_lightgbm_encodes_classes_itself_where_we_do_not(labels: str, tmp_path: Path) -> None:
    tables = [make_rows(240, 1), make_rows(90, 2)]
    if labels == "whole numbers":
        tables = [table.assign(label=pd.Categorical(table["label"]).codes + 4) for table in tables]
    settings = {**family_settings("lightgbm", "classification"), "encode_labels": False}
    data = Data(tmp_path / "files", *tables)
    reports, scores = run_reporting(data, settings, "classification", metric="log_loss")
    assert reports[12] == pytest.approx(scores["log_loss"], rel=1e-5)


@libraries
def test_a_metric_of_another_task_is_the_same_error(name: str, data: Data) -> None:
    task = data.task(family_settings(name), metric="accuracy")
    assert run_trial(replace(task, prunes=True)).error == run_trial(task).error


def make_reporter() -> RoundReporter:
    data: Any = object()
    return RoundReporter(Listener(), TrialTask(0, (), Roles("y"), "regression", "r2"), data)


def test_copies_of_an_estimator_share_the_reporter() -> None:
    reporter = make_reporter()
    assert copy.deepcopy({"eval_metric": [reporter]})["eval_metric"][0] is reporter


def test_an_estimator_of_another_library_gets_no_options() -> None:
    assert make_reporter().attach(HistGradientBoostingRegressor()) == {}


@pytest.mark.parametrize(("metric", "left"), [(max, None), (None, None), (["mae"], ["mae"])])
def test_detach_removes_the_reporter_alone(metric: Any, left: Any) -> None:
    estimator = XGBRegressor(n_estimators=2, eval_metric=metric).fit(np.eye(4), np.arange(4.0))
    before = estimator.get_booster().save_raw("ubj")
    detach(estimator)
    assert estimator.eval_metric == left
    assert estimator.get_booster().save_raw("ubj") == before


def test_detach_leaves_an_estimator_without_metric() -> None:
    estimator = Ridge()
    detach(estimator)
    assert not hasattr(estimator, "eval_metric")

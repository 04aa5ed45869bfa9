"""Trials: the score of a plain pipeline to the last digit, reports, pruning, failures, threads, the saved pipeline."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from mlrunner.core.build import build
from mlrunner.core.column_roles import Roles
from mlrunner.core.folds import FINAL
from mlrunner.core.score_settings import ScoreSettings
from mlrunner.evaluation import metrics, thresholds
from mlrunner.evaluation.cross_validation import cross_validate
from mlrunner.evaluation.predictions import predict
from mlrunner.evaluation.scoring import cross_validate_rows, evaluate
from mlrunner.evaluation.split_data import SplitData, select_features
from mlrunner.groups.model.early_stopping import get_rounds
from mlrunner.search.objective import Objectives
from mlrunner.search.trial.running import TrialRunner, limit_threads, shared_runner
from tests.support.predictions import score
from tests.support.trials import (
    FAMILIES,
    METRICS,
    NAN,
    Data,
    Listener,
    family_settings,
    make_rows,
    model_settings,
    run_complete,
    run_trial,
    score_plainly,
    scripted,
)

tasks = pytest.mark.parametrize("task", ["regression", "classification"])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return Data(tmp_path_factory.mktemp("rows") / "files")


# Scores


@tasks
def test_a_trial_scores_what_a_plain_pipeline_scores(task: str, data: Data) -> None:
    """Also after trials of other models in the same process, and once more."""
    runner = TrialRunner()
    for name in FAMILIES * 2:
        settings = family_settings(name, task)
        plain = score_plainly(data, settings, task)
        scores = run_complete(data.task(settings, task=task), runner=runner)
        assert scores == {**plain, **{f"validation/{metric}": value for metric, value in plain.items()}}


@pytest.mark.parametrize(
    ("name", "task"),
    [("xgboost", "regression"), ("lightgbm", "classification"), ("ridge", "classification"), ("rf", "regression")],
)
def test_with_folds_the_scores_are_those_of_cross_validation(name: str, task: Any, data: Data) -> None:
    settings, roles, runner = family_settings(name, task), data.roles(task), TrialRunner()
    table, target = select_features(data.train, roles), data.train[roles.target]
    expected = cross_validate(lambda: build(settings, "model").build(table, task), table, target, data.folds, task)
    for _ in range(2):
        result = run_trial(data.task(settings, task=task, folds=True), runner=runner)
        assert result.scores == [fold[METRICS[task]] for fold in expected.scores]
        for metric, value in expected.mean.items():
            values = [result.metrics[key] for key in (metric, f"cv/{metric}", f"cv/{metric}_std")]
            assert values == [value, value, expected.std[metric]]


@pytest.mark.parametrize(("name", "task"), [("xgboost", "regression"), ("lightgbm", "classification")])
@pytest.mark.parametrize("folds", [False, True], ids=["held out", "folds"])
def test_a_trial_stops_early_as_a_run_does(name: str, task: Any, folds: bool, data: Data) -> None:
    settings = {**family_settings(name, task, n_estimators=60, learning_rate=0.9), "early_stopping": 2}
    roles, model, none = data.roles(task), build(settings, "model"), data.validation.head(0)
    validation, table = (none, data.folds) if folds else (data.validation, data.folds.head(0))
    split = SplitData(data.train, validation, data.validation, table, roles)
    marks = data.folds[FINAL].to_numpy() if folds else None
    pipeline = model.build(select_features(data.train, roles), task)
    model.stop_early(pipeline, (*split.of("train"), None), split.of("validation"), marks)
    fitted = pipeline.fit(*split.of("train"))
    result = run_trial(data.task(settings, task=task, folds=folds))
    assert result.metrics[METRICS[task]] == evaluate(fitted, split, model, task).scores[METRICS[task]]
    assert 1 <= result.metrics["rounds"] < 60
    assert folds or result.metrics["rounds"] == get_rounds(fitted[-1])


@pytest.mark.parametrize("folds", [False, True], ids=["held out", "folds"])
def test_a_trial_tunes_the_threshold_as_a_run_does(folds: bool, data: Data, tmp_path: Path) -> None:
    settings = {**family_settings("rf", "classification"), "threshold": "tuned", "positive": "high"}
    two = [table[table["label"] != "middle"] for table in (data.train, data.validation)]
    data = Data(tmp_path / "two", *two)
    roles, model, none = data.roles("classification"), build(settings, "model"), data.validation.head(0)
    scoring = ScoreSettings(positive="high")
    split = SplitData(*((data.train, none) if folds else two), none, data.folds, roles, scoring=scoring)
    if folds:
        fits = cross_validate_rows(split, model, "classification").held_out
    else:
        fitted = model.build(split.of("train")[0], "classification").fit(*split.of("train"))
        fits = [predict(fitted, *split.of("validation"), "classification", scoring)]
    expected = thresholds.find_threshold(fits, "mcc")
    task = data.task(settings, task="classification", folds=folds, metric="mcc", scoring=scoring)
    result = run_trial(replace(task, model_file=str(tmp_path / "model.joblib")))
    scores = [metrics.measure(fit.classify(expected), "classification")["mcc"] for fit in fits]
    assert (result.metrics["threshold"], result.scores) == (expected, scores)
    assert joblib.load(tmp_path / "model.joblib")[-1].threshold == expected


def test_a_category_that_one_fold_lacks_does_not_change_the_score(tmp_path: Path) -> None:
    """`low_cardinality=4`: with the rare one there are five categories, without it four."""
    table = make_rows(120, 3).assign(few=["a", "b", "c", "d"] * 30)
    table.iloc[0, table.columns.get_loc("few")] = "rare"
    data = Data(tmp_path, train=table)
    settings, roles = family_settings("xgboost"), data.roles("regression")
    split = SplitData(data.train, data.validation.head(0), data.validation, data.folds, roles)
    model = build(settings, "model")
    features, target = select_features(data.train, roles), data.train[roles.target]
    fitted = model.build(features, "regression").fit(features, target)
    expected = evaluate(fitted, split, model, "regression").scores
    assert run_complete(data.task(settings, folds=True))["cv/r2"] == expected["cv/r2"]


@pytest.mark.parametrize("folds", [False, True], ids=["held out", "folds"])
def test_repeats_are_averaged(folds: bool, data: Data) -> None:
    seeds = [family_settings("xgboost", random_state=seed) for seed in range(3)]
    scores = [score for settings in seeds for score in run_trial(data.task(settings, folds=folds)).scores]
    result = run_trial(data.task(*seeds, folds=folds))
    assert len(set(scores)) == len(scores) == (12 if folds else 3)
    assert result.scores == scores
    part = "cv" if folds else "validation"
    assert result.metrics["r2"] == result.metrics[f"{part}/r2"] == float(np.mean(scores))
    assert result.metrics[f"{part}/r2_std"] == float(np.std(scores))


@pytest.mark.parametrize("scaled", [True, False], ids=["two steps", "one step"])
def test_a_users_own_model_is_scored_as_its_own_pipeline(scaled: bool, data: Data) -> None:
    runner = TrialRunner()
    for alpha in (0.5, 50.0):
        settings = {"_target_": "tests.support.trials.OwnModel", "alpha": alpha, "scaled": scaled}
        expected = score_plainly(data, settings, "regression")
        scores = run_complete(data.task(settings), runner=runner)
        assert {name: scores[name] for name in expected} == expected


def test_an_estimator_that_overwrites_its_rows_changes_no_other_trial(data: Data) -> None:
    runner, expected = TrialRunner(), score_plainly(data, family_settings("ridge"), "regression")["r2"]
    run_complete(data.task(family_settings("ridge", copy_X=False)), runner=runner)
    assert run_complete(data.task(family_settings("ridge")), runner=runner)["r2"] == expected


def test_another_target_of_the_same_rows_is_another_trial(data: Data) -> None:
    other = replace(data.task(family_settings("ridge")), roles=Roles("number", ignore=("y",), group="customer"))
    runner, alone = TrialRunner(), run_complete(other)
    run_complete(data.task(family_settings("ridge")), runner=runner)
    assert run_complete(other, runner=runner) == pytest.approx(alone, rel=0, abs=0, nan_ok=True)


def test_durations_are_measured(data: Data) -> None:
    result = run_trial(data.task(family_settings("rf"), folds=True))
    assert result.fit_seconds > 0
    assert result.score_seconds > 0
    assert result.fit_seconds + result.score_seconds <= result.seconds


# Failures


@pytest.mark.parametrize(
    ("settings", "error", "has_trace"),
    [
        pytest.param(
            scripted(says=NAN),
            "The model predicts NaN in 90 of 90 rows; choose another model, or settings with which it does not "
            "diverge.",
            False,
            id="nan",
        ),
        pytest.param(scripted(raises="ValueError"), "ValueError: no more", True, id="exception"),
        pytest.param(
            {"_target_": "mlrunner.groups.model.EstimatorModel", "name": "x"},
            "model.targets is not set; give it a value. model.estimator is not set; give it a value. "
            "model.encode_labels is not set; give it a value. model.features is not set; give it a value.",
            False,
            id="our own error",
        ),
    ],
)
def test_an_error_makes_a_failed_trial_with_a_sentence(
    settings: dict[str, Any], error: str, has_trace: bool, data: Data
) -> None:
    result = run_trial(data.task(settings))
    assert (result.state, result.error) == ("FAIL", error)
    assert (result.trace is not None) is has_trace
    assert result.seconds > 0


def test_missing_rows_make_a_failed_trial(data: Data) -> None:
    task = data.task(family_settings("ridge"))
    result = run_trial(replace(task, repeats=(replace(task.repeats[0], train="/nowhere/table.arrow"),)))
    assert (result.state, str(result.error).partition(":")[0]) == ("FAIL", "FileNotFoundError")


def test_a_failure_does_not_change_the_next_trial(data: Data) -> None:
    runner = TrialRunner()
    before = run_complete(data.task(family_settings("xgboost")), runner=runner)
    for settings in (family_settings("xgboost", max_depth=-3), scripted(raises="ValueError")):
        assert run_trial(data.task(settings), runner=runner).state == "FAIL"
    assert run_complete(data.task(family_settings("xgboost")), runner=runner) == before


def test_a_failed_trial_has_the_scores_of_the_folds_before(data: Data) -> None:
    sizes = [int((data.numbers != fold).sum()) for fold in range(4)]
    result = run_trial(data.task(scripted(says=1.0, raises="ValueError", over=max(sizes) - 1), folds=True))
    assert (result.state, len(result.scores), result.metrics) == ("FAIL", sizes.index(max(sizes)), {})


def test_seconds_may_be_the_first_objective(data: Data) -> None:
    objectives = Objectives(("fit_seconds", "r2"), ("minimize", "maximize"))
    result = run_trial(data.task(family_settings("ridge"), metric=objectives.measured_metric))
    assert result.state == "COMPLETE"
    assert objectives.get_values(result) == [result.fit_seconds, result.metrics["r2"]]


# Reports


@pytest.mark.parametrize(
    ("repeats", "folds", "each_fold"),
    [(1, True, False), (2, True, True)],
    ids=["mean of folds", "each fold and repeat"],
)
def test_folds_and_repeats_are_reported(repeats: int, folds: bool, each_fold: bool, data: Data) -> None:
    seeds = [family_settings("xgboost", random_state=seed) for seed in range(repeats)]
    listener = Listener()
    result = run_trial(data.task(*seeds, folds=folds, prunes=True, each_fold=each_fold), listener)
    means = [float(np.mean(result.scores[: index + 1])) for index in range(len(result.scores))]
    expected = result.scores if each_fold else means
    assert listener.reports == list(enumerate(expected))[:-1]  # after the last one pruning saves nothing
    assert result.metrics == run_complete(data.task(*seeds, folds=folds))


@pytest.mark.parametrize(("folds", "prunes"), [(False, True), (True, False)], ids=["single fit", "no pruner"])
def test_a_trial_that_cannot_be_pruned_reports_nothing(folds: bool, prunes: bool, data: Data) -> None:
    listener = Listener()
    run_complete(data.task(family_settings("ridge"), folds=folds, prunes=prunes), listener)
    assert listener.reports == []


def test_a_pruned_trial_keeps_its_scores(data: Data) -> None:
    whole = run_trial(data.task(family_settings("ridge"), folds=True))
    listener = Listener(until=2)
    result = run_trial(data.task(family_settings("ridge"), folds=True, prunes=True), listener)
    assert (result.state, result.error, result.trace) == ("PRUNED", None, None)
    assert result.scores == whole.scores[:2]
    assert result.metrics["r2"] == listener.reports[-1][1] == float(np.mean(whole.scores[:2]))


# Threads, and the saved pipeline


@pytest.mark.parametrize(
    ("settings", "limited"),
    [
        ({"n_jobs": -1}, {"n_jobs": 2}),
        ({"thread_count": -1, "nthread": -1}, {"thread_count": 2, "nthread": 2}),
        ({"n_jobs": 4, "verbosity": -1}, {"n_jobs": 4, "verbosity": -1}),
        ({"estimators": [["a", {"base": {"n_jobs": -1}}]]}, {"estimators": [["a", {"base": {"n_jobs": 2}}]]}),
    ],
    ids=["all threads", "other names", "a number", "nested and listed"],
)
def test_an_estimator_gets_its_share_of_threads(settings: dict[str, Any], limited: dict[str, Any]) -> None:
    before = json.dumps(settings)
    assert limit_threads(settings, 2) == limited
    assert json.dumps(settings) == before


@pytest.mark.parametrize(
    ("name", "task", "prunes"),
    [("xgboost", "regression", True), ("lightgbm", "classification", True), ("ridge", "regression", False)],
)
def test_the_pipeline_that_is_written_is_the_one_that_was_scored(
    name: str, task: Any, prunes: bool, data: Data, tmp_path: Path
) -> None:
    path = tmp_path / "model.joblib"
    scores = run_complete(data.task(family_settings(name, task), task=task, prunes=prunes, model_file=str(path)))
    pipeline, roles = joblib.load(path), data.roles(task)
    features, target = select_features(data.validation, roles), data.validation[roles.target]
    expected = score(pipeline, features, target, task)
    assert {metric: scores[metric] for metric in expected} == expected


def test_no_pipeline_of_a_failed_trial_is_written(data: Data, tmp_path: Path) -> None:
    run_trial(data.task(scripted(raises="ValueError"), model_file=str(tmp_path / "model.joblib")))
    assert list(tmp_path.iterdir()) == []


def test_the_jobs_of_a_process_share_one_runner() -> None:
    assert shared_runner() is shared_runner()


def test_a_missing_class_is_named(data: Data) -> None:
    result = run_trial(data.task(model_settings("tests.support.trials.Scriptd")))
    assert result.state == "FAIL"
    assert "tests.support.trials has no class 'Scriptd'. Did you mean 'Scripted'?" in str(result.error)

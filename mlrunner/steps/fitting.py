"""Fit and score: the steps of a run, and those of a search's trials and its winner."""

import time
from dataclasses import replace
from typing import Annotated

import pandas as pd
from zenml import step

from mlrunner.core.build import Group, build
from mlrunner.core.folds import select_final_rows
from mlrunner.core.metric_names import THRESHOLD
from mlrunner.evaluation import objective, scoring, split_data
from mlrunner.evaluation.scoring import Evaluation
from mlrunner.evaluation.split_data import SplitData
from mlrunner.evaluation.weights import name_weight, select_weight, weigh_rows
from mlrunner.groups.cleaning.controller import resolve_strategy
from mlrunner.groups.model import ModelNameConfig
from mlrunner.groups.model.packaging import assemble
from mlrunner.steps import advice, feature_importance, held_out, recording
from mlrunner.steps.judged_rows import describe_judged_rows
from mlrunner.steps.materializers import DOCUMENT_MATERIALIZER, MODEL_MATERIALIZER, FittedModel
from mlrunner.steps.problem import Problem
from mlrunner.steps.recording import RunContext
from mlrunner.steps.step_body import step_body
from mlrunner.tracking import run_log
from mlrunner.tracking.background_writer import RECORDER

Table = pd.DataFrame


fit_step = step(enable_cache=False, enable_artifact_visualization=False, output_materializers=MODEL_MATERIALIZER)
score_step = step(enable_cache=False, enable_artifact_visualization=False, output_materializers=DOCUMENT_MATERIALIZER)


@fit_step
@step_body
def train(
    train: Table,
    validation: Table,
    folds: Table,
    raw: Table,
    problem: Problem,
    cleaning: Group,
    model_config: ModelNameConfig,
    run: RunContext,
) -> Annotated[FittedModel, "model"]:
    """Fit on the training rows, and save the cleaning and the estimator as one pipeline.

    The validation rows, or with folds some training rows, decide when boosting stops, if `model.early_stopping` is set.
    The validation rows, or the held-out rows of all folds, decide about the threshold, if `model.threshold` is tuned.
    """
    return _fit(train, validation, folds, raw, problem, cleaning, model_config, run, refit=False)


@fit_step
@step_body
def refit(
    train: Table,
    validation: Table,
    folds: Table,
    raw: Table,
    problem: Problem,
    cleaning: Group,
    model_config: ModelNameConfig,
    run: RunContext,
) -> Annotated[FittedModel, "model"]:
    """Fit on all rows except those of the test part; `model.threshold` is a number, since none of them is held out."""
    return _fit(train, validation, folds, raw, problem, cleaning, model_config, run, refit=True)


def _fit(
    train: Table,
    validation: Table,
    folds: Table,
    raw: Table,
    problem: Problem,
    cleaning: Group,
    model_config: ModelNameConfig,
    run: RunContext,
    refit: bool,
) -> FittedModel:
    data = SplitData(train, validation, train.head(0), folds, problem.roles, scoring=problem.scoring)
    roles, model = problem.roles, build(model_config.settings, "model")
    strategy = resolve_strategy(build(cleaning, "cleaning"), raw, roles)
    rows = split_data.concatenate_training_rows(data.final_train, data.validation) if refit else data.final_train
    features, target = split_data.select_features(rows, roles), rows[roles.target]
    start = time.perf_counter()
    estimator, weight = model.build(features, problem.task), weigh_rows(model, target, select_weight(rows, roles))
    held_out.stop_early(model, estimator, data)
    estimator.fit(features, target, **name_weight(estimator, weight))
    seconds = time.perf_counter() - start
    validated = held_out.tune_threshold(model, estimator, data, problem, run.objective)
    pipeline = assemble(estimator, strategy, roles, features, raw)
    uri = recording.save_model(run, pipeline, raw, roles, strategy, problem.reading)
    return FittedModel(pipeline, uri, seconds, validated)


@score_step
@step_body
def evaluate(
    fitted: FittedModel,
    train: Table,
    validation: Table,
    test: Table,
    folds: Table,
    problem: Problem,
    model_config: ModelNameConfig,
    run: RunContext,
) -> Annotated[dict[str, float], "metrics"]:
    """Score every part of the split, and the folds."""
    data = SplitData(train, validation, test, folds, problem.roles, scoring=problem.scoring)
    start = time.perf_counter()
    fit_values = held_out.read_fit_values(fitted, model_config)
    threshold = {name: value for name, value in fit_values.items() if name == THRESHOLD}
    model = build(model_config.settings | threshold, "model")
    evaluation = scoring.evaluate(fitted.pipeline[1:], data, model, problem.task, fitted.validated)
    evaluation = replace(evaluation, scores=evaluation.scores | fit_values)
    objective.refuse_undefined(run.objective, evaluation, data)
    RECORDER.submit(run_log.set_tags, run.run_id, describe_judged_rows(problem, run.objective, test, validation, folds))
    _record(run, fitted, data, evaluation, problem, model_config, time.perf_counter() - start)
    return evaluation.scores


@score_step
@step_body
def judge(
    fitted: FittedModel,
    train: Table,
    validation: Table,
    test: Table,
    folds: Table,
    validated: dict[str, float],
    problem: Problem,
    model_config: ModelNameConfig,
    run: RunContext,
) -> Annotated[dict[str, float], "metrics"]:
    """Score a refitted model on the test rows; `validated` are the scores of its trial on the other parts."""
    fit_rows = split_data.concatenate_training_rows(select_final_rows(train, folds), validation)
    data = SplitData(fit_rows, test.head(0), test, folds.head(0), problem.roles, "test", problem.scoring)
    start = time.perf_counter()
    evaluation = scoring.evaluate_on_test(fitted.pipeline[1:], data, problem.task)
    RECORDER.submit(run_log.set_tags, run.run_id, describe_judged_rows(problem, run.objective, test))
    fit_values = held_out.read_fit_values(fitted, model_config)
    evaluation = replace(evaluation, scores={**validated, **evaluation.scores, **fit_values})
    data = replace(data, validation=test, test=test.head(0))  # the plots show the validation rows
    _record(run, fitted, data, evaluation, problem, model_config, time.perf_counter() - start)
    return evaluation.scores


def _record(
    run: RunContext,
    fitted: FittedModel,
    data: SplitData,
    evaluation: Evaluation,
    problem: Problem,
    model_config: ModelNameConfig,
    seconds: float,
) -> None:
    times = {"fit_seconds": fitted.fit_seconds, "score_seconds": seconds}
    recording.log_evaluation(run, evaluation, times)
    recording.log_replicates(run, evaluation, problem.task)
    feature_importance.log_importances(run, fitted.pipeline[1:])
    advice.log_advice(run, evaluation, data.train[problem.roles.target], problem.task)
    subject = f"{problem.label} · {model_config.name}"
    recording.draw_figures(run, fitted.pipeline[1:], data, evaluation, problem.task, subject)


@score_step
def trial(
    train: Table,
    scored: Table,
    number: int,
    state: str,
    overrides: list[str],
    model_config: Group,
    scores: dict[str, float],
) -> Annotated[dict[str, float], "scores"]:
    """Record a trial that a worker has run: its rows, its settings and its scores.

    `scored` are the validation rows, or the folds of the training rows.
    """
    del train, scored, number, state, overrides, model_config
    return scores

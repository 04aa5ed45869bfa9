"""Fit and score: of a run, and of the trials of a search and its winner."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Annotated

import pandas as pd
from zenml import step

from mlrunner.core.build import Group, build
from mlrunner.evaluation import scoring
from mlrunner.evaluation.scoring import Parts
from mlrunner.groups.model import ModelNameConfig
from mlrunner.groups.model.packaging import assemble
from mlrunner.steps import recording
from mlrunner.steps.materializers import FittedModel, ModelMaterializer
from mlrunner.steps.progress import shown

Table = pd.DataFrame


@step(enable_cache=False, enable_artifact_visualization=False, output_materializers=ModelMaterializer)
@shown
def train(
    train: Table,
    raw: Table,
    dataset: Group,
    cleaning: Group,
    model: ModelNameConfig,
    tracked: recording.Tracked,
) -> Annotated[FittedModel, "model"]:
    """Fit on the training rows, put the cleaning before what was fitted, and save it all as the model."""
    return _fitted(train, raw, dataset, cleaning, model, tracked)


def _fitted(
    train: Table, raw: Table, dataset: Group, cleaning: Group, model: ModelNameConfig, tracked: recording.Tracked
) -> FittedModel:
    roles, strategy = build(dataset, "dataset").roles, build(cleaning, "cleaning")
    features, target = scoring.features_of(train, roles), train[roles.target]
    began = time.perf_counter()
    fitted = build(model.settings, "model").build(features, dataset["task"]).fit(features, target)
    seconds = time.perf_counter() - began
    pipeline = assemble(fitted, strategy, roles, features, raw)
    return FittedModel(pipeline, recording.model(tracked, pipeline, raw, roles, strategy), seconds)


@step(enable_cache=False, enable_artifact_visualization=False)
@shown
def evaluate(
    model: FittedModel,
    train: Table,
    validation: Table,
    test: Table,
    folds: Table,
    dataset: Group,
    settings: ModelNameConfig,
    tracked: recording.Tracked,
) -> Annotated[dict[str, float], "metrics"]:
    """Score every part of the split, and the folds."""
    source = build(dataset, "dataset")
    parts = Parts(train, validation, test, folds, source.roles)
    fitted, task = model.pipeline[1:], dataset["task"]
    began = time.perf_counter()
    found = scoring.evaluate(fitted, parts, build(settings.settings, "model"), task)
    recording.evaluated(
        tracked, found, {"fit_seconds": model.fit_seconds, "score_seconds": time.perf_counter() - began}
    )
    recording.replicates(tracked, found, task)
    recording.drawn(tracked, fitted, parts, found, task, f"{source.label} · {settings.name}")
    return found.scores


@step(enable_cache=False, enable_artifact_visualization=False)
def trial(
    train: Table,
    judging: Table,
    number: int,
    state: str,
    overrides: list[str],
    model: Group,
    scores: dict[str, float],
) -> Annotated[dict[str, float], "scores"]:
    """Record a trial that a worker has run: which rows it saw, with which settings, and what came of it.

    `judging` are the validation rows, or the folds of the training rows.
    """
    del train, judging, number, state, overrides, model
    return scores


@step(enable_cache=False, enable_artifact_visualization=False, output_materializers=ModelMaterializer)
@shown
def refit(
    train: Table,
    validation: Table,
    raw: Table,
    dataset: Group,
    cleaning: Group,
    model: ModelNameConfig,
    tracked: recording.Tracked,
) -> Annotated[FittedModel, "model"]:
    """Fit the winner of a search on all rows but those of the test."""
    return _fitted(scoring.joined(train, validation), raw, dataset, cleaning, model, tracked)


@step(enable_cache=False, enable_artifact_visualization=False)
@shown
def judge(
    model: FittedModel,
    train: Table,
    validation: Table,
    test: Table,
    validated: dict[str, float],
    dataset: Group,
    settings: ModelNameConfig,
    tracked: recording.Tracked,
) -> Annotated[dict[str, float], "metrics"]:
    """Score the winner on the test rows, which no trial has read; `validated` is what its trial found."""
    source = build(dataset, "dataset")
    known = scoring.joined(train, validation)
    parts = Parts(known, test, test.head(0), pd.DataFrame({"fold": []}), source.roles, shown="test")
    fitted, task = model.pipeline[1:], dataset["task"]
    began = time.perf_counter()
    found = scoring.judge(fitted, known, test, source.roles, task)
    scores = {**validated, **found.scores}
    seconds = {"fit_seconds": model.fit_seconds, "score_seconds": time.perf_counter() - began}
    recording.evaluated(tracked, replace(found, scores=scores), seconds)
    recording.replicates(tracked, found, task)
    recording.drawn(tracked, fitted, parts, found, task, f"{source.label} · {settings.name}")
    return scores

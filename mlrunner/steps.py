"""The ZenML steps in the order they run: each builds its strategy, calls its one verb and returns."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, ParamSpec, TypeVar

import pandas as pd
from zenml import step

from mlrunner import evaluation, evidence, inference, tracking
from mlrunner.build import Group, build
from mlrunner.cleaning import DataCleaning
from mlrunner.dataset import tables
from mlrunner.deployer import Candidate, Deployer
from mlrunner.evaluation import Parts
from mlrunner.gate import Decision, Gate
from mlrunner.materializers import FittedModel, ModelMaterializer, TableMaterializer
from mlrunner.model import ModelNameConfig
from mlrunner.model.estimators import assemble
from mlrunner.progress import PROGRESS
from mlrunner.recorder import RECORDER
from mlrunner.tracking import recording, registry

P = ParamSpec("P")
R = TypeVar("R")
Table = pd.DataFrame


def shown(function: Callable[P, R]) -> Callable[P, R]:
    """Tell the terminal when a step begins and ends; a cached step never begins."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with PROGRESS.step(function.__name__):
            return function(*args, **kwargs)

    return wrapper


@step(enable_artifact_visualization=False, output_materializers=TableMaterializer)
@shown
def ingest(dataset: Group, fingerprint: str, code: str, blueprint: bool) -> Annotated[Table, "raw"]:
    """Read the raw table; `fingerprint` and `code` are the cache's key beside the settings."""
    del code
    table = tables.read(dataset, fingerprint)
    return tables.few(table, dataset) if blueprint else table


@step(enable_artifact_visualization=False, output_materializers=TableMaterializer)
@shown
def clean(raw: Table, dataset: Group, cleaning: Group, code: str) -> Annotated[Table, "cleaned"]:
    """Turn raw rows into features, with target, group and time beside them."""
    del code
    return DataCleaning(raw, build(cleaning, "cleaning"), build(dataset, "dataset").roles).handle_data()


@step(
    enable_artifact_visualization=False,
    output_materializers=dict.fromkeys(("train", "validation", "test", "folds"), TableMaterializer),
)
@shown
def divide(
    cleaned: Table, split: Group, code: str
) -> tuple[
    Annotated[Table, "train"],
    Annotated[Table, "validation"],
    Annotated[Table, "test"],
    Annotated[Table, "folds"],
]:
    """Share the rows out; `folds` numbers the training rows of a cross-validation."""
    del code
    division = build(split, "split").handle_data(cleaned)
    folds = pd.DataFrame({"fold": [] if division.folds is None else division.folds})
    return division.train, division.validation, division.test, folds


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
    features, target = evaluation.features_of(train, roles), train[roles.target]
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
    found = evaluation.evaluate(fitted, parts, build(settings.settings, "model"), task)
    recording.evaluated(
        tracked, found, {"fit_seconds": model.fit_seconds, "score_seconds": time.perf_counter() - began}
    )
    recording.drawn(tracked, fitted, parts, found, task, f"{source.label} · {settings.name}")
    return found.scores


@step(enable_cache=False, enable_artifact_visualization=False, output_materializers=ModelMaterializer)
@shown
def load(uri: str) -> Annotated[FittedModel, "model"]:
    """Load a saved model that asks to be deployed."""
    return FittedModel(registry.load(uri), uri)


@step(enable_cache=False, enable_artifact_visualization=False)
@shown
def score(
    model: FittedModel, raw: Table, test: Table, known: dict[str, float], dataset: Group
) -> Annotated[dict[str, float], "metrics"]:
    """Score a saved model on the test rows again; `known` is what its run found on the other parts."""
    found = evidence.score(model.pipeline, raw, test, build(dataset, "dataset").roles, dataset["task"])
    return {**known, **{f"test/{name}": value for name, value in found.items()}}


@step(enable_cache=False, enable_artifact_visualization=False)
@shown
def gate(
    model: FittedModel,
    raw: Table,
    test: Table,
    metrics: dict[str, float],
    dataset: Group,
    gate: Group,
    deployer: Group,
    tracked: recording.Tracked,
) -> Annotated[dict[str, Any], "decision"]:
    """Judge the model, beside the one that is deployed where the gate asks for that."""
    judge: Gate = build(gate, "gate", Gate)
    asks: Deployer = build(deployer, "deployer", Deployer)
    candidate = evidence.of_candidate(judge, model.pipeline, metrics, raw, test)
    roles, task = build(dataset, "dataset").roles, dataset["task"]
    champion = evidence.of_champion(judge, asks.registered_name, raw, test, roles, task)
    decision = judge.decide(candidate, champion)
    recording.decided(tracked, None if judge.is_none and asks.is_none else decision)
    return {**decision._asdict(), "against": evidence.version_of(champion) if judge.needs_champion else None}


@step(enable_cache=False, enable_artifact_visualization=False)
@shown
def deploy(
    model: FittedModel,
    metrics: dict[str, float],
    decision: dict[str, Any],
    deployer: Group,
    tracked: recording.Tracked,
) -> None:
    """Deploy the model if the gate opened; what goes wrong there does not undo the run."""
    built: Deployer = build(deployer, "deployer", Deployer)
    if built.is_none:
        return
    if decision["deploy"]:
        RECORDER.flush()  # the model has to be saved by now
    facts, against = tracking.facts_of(tracked.run_id), decision["against"]
    candidate = Candidate(model.uri or "", tracked.run_id, model.pipeline, metrics, facts, against)
    decided = Decision(decision["deploy"], decision["reason"])
    recording.deployed(tracked, lambda: built.deploy(candidate, decided))


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
    return _fitted(evaluation.joined(train, validation), raw, dataset, cleaning, model, tracked)


@step(enable_cache=False, enable_artifact_visualization=False)
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
    known = evaluation.joined(train, validation)
    parts = Parts(known, test, test.head(0), pd.DataFrame({"fold": []}), source.roles, shown="test")
    fitted, task = model.pipeline[1:], dataset["task"]
    began = time.perf_counter()
    found = evaluation.judge(fitted, known, test, source.roles, task)
    scores = {**validated, **found.scores}
    seconds = {"fit_seconds": model.fit_seconds, "score_seconds": time.perf_counter() - began}
    recording.evaluated(tracked, replace(found, scores=scores), seconds)
    recording.drawn(tracked, fitted, parts, found, task, f"{source.label} · {settings.name}")
    return scores


@step(enable_cache=False, enable_artifact_visualization=False)
@shown
def predict(dataset: Group, job: inference.Job) -> Annotated[dict[str, Any], "summary"]:
    """Predict a table piece by piece; its predictions go to a file, what came of it is told."""
    return inference.predict(dataset, job)

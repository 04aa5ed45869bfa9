"""Judge a model and deploy it: how every pipeline ends that has one."""

from __future__ import annotations

from typing import Annotated, Any

import pandas as pd
from zenml import step

from mlrunner import tracking
from mlrunner.core.build import Group, build
from mlrunner.groups.deployer import Candidate, Deployer
from mlrunner.groups.gate import Decision, Gate
from mlrunner.steps import gate_inputs, recording
from mlrunner.steps.materializers import FittedModel, ModelMaterializer
from mlrunner.steps.progress import shown
from mlrunner.tracking import model_registry
from mlrunner.tracking.background_writer import RECORDER

Table = pd.DataFrame


@step(enable_cache=False, enable_artifact_visualization=False, output_materializers=ModelMaterializer)
@shown
def load(uri: str) -> Annotated[FittedModel, "model"]:
    """Load a saved model that asks to be deployed."""
    return FittedModel(model_registry.load(uri), uri)


@step(enable_cache=False, enable_artifact_visualization=False)
@shown
def score(
    model: FittedModel, raw: Table, test: Table, known: dict[str, float], dataset: Group
) -> Annotated[dict[str, float], "metrics"]:
    """Score a saved model on the test rows again; `known` is what its run found on the other parts."""
    found = gate_inputs.score(model.pipeline, raw, test, build(dataset, "dataset").roles, dataset["task"])
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
    candidate = gate_inputs.of_candidate(judge, model.pipeline, metrics, raw, test)
    roles, task = build(dataset, "dataset").roles, dataset["task"]
    champion = gate_inputs.of_champion(judge, asks.registered_name, raw, test, roles, task)
    decision = judge.decide(candidate, champion)
    recording.decided(tracked, None if judge.is_none and asks.is_none else decision)
    return {**decision._asdict(), "against": gate_inputs.version_of(champion) if judge.needs_champion else None}


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

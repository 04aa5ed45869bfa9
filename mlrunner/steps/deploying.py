"""Let the gate decide about a model, and deploy it: the last steps of every pipeline that has a model."""

from typing import Annotated, Any

import pandas as pd
from zenml import step

from mlrunner.core.build import Group, build
from mlrunner.groups.deployer import Candidate, Deployer
from mlrunner.groups.gate import Decision, Gate
from mlrunner.steps import gate_inputs, recording
from mlrunner.steps.materializers import DOCUMENT_MATERIALIZER, MODEL_MATERIALIZER, FittedModel
from mlrunner.steps.problem import Problem
from mlrunner.steps.recording import RunContext
from mlrunner.steps.step_body import step_body
from mlrunner.tracking import model_registry, run_log
from mlrunner.tracking.background_writer import RECORDER

Table = pd.DataFrame


@step(enable_cache=False, enable_artifact_visualization=False, output_materializers=MODEL_MATERIALIZER)
@step_body
def load(uri: str) -> Annotated[FittedModel, "model"]:
    """Load the saved model of an earlier run."""
    return FittedModel(model_registry.load_model(uri), uri)


@step(enable_cache=False, enable_artifact_visualization=False, output_materializers=DOCUMENT_MATERIALIZER)
@step_body
def score(
    fitted: FittedModel, raw: Table, test: Table, other_scores: dict[str, float], problem: Problem
) -> Annotated[dict[str, float], "metrics"]:
    """Score a saved model on the test rows again; `other_scores` are those of its run on the other parts."""
    scores = gate_inputs.score_raw_rows(fitted.pipeline, raw, test, problem)
    return {**other_scores, **{f"test/{name}": value for name, value in scores.items()}}


@step(enable_cache=False, enable_artifact_visualization=False, output_materializers=DOCUMENT_MATERIALIZER)
@step_body
def gate(
    fitted: FittedModel,
    raw: Table,
    test: Table,
    metrics: dict[str, float],
    problem: Problem,
    gate: Group,
    deployer: Group,
    run: RunContext,
) -> Annotated[dict[str, Any], "decision"]:
    """Decide about the model, compared with the deployed one where the gate needs that."""
    judge: Gate = build(gate, "gate", Gate)
    target: Deployer = build(deployer, "deployer", Deployer)
    candidate = gate_inputs.gather_candidate(judge, fitted.pipeline, metrics, raw, test)
    champion = gate_inputs.gather_champion(judge, target.registered_name, raw, test, problem, fitted.pipeline)
    decision = judge.decide(candidate, champion)
    recording.tag_decision(run, None if judge.is_none and target.is_none else decision)
    return {**decision._asdict(), "against": gate_inputs.champion_version(champion) if judge.needs_champion else None}


@step(enable_cache=False, enable_artifact_visualization=False)
@step_body
def deploy(
    fitted: FittedModel, metrics: dict[str, float], decision: dict[str, Any], deployer: Group, run: RunContext
) -> None:
    """Deploy the model if the gate opened; an error is recorded and does not fail the run."""
    target: Deployer = build(deployer, "deployer", Deployer)
    if target.is_none:
        return
    if decision["deploy"]:
        RECORDER.flush()  # the model must be saved
    facts = run_log.describe_run(run.run_id)
    candidate = Candidate(fitted.uri or "", run.run_id, fitted.pipeline, metrics, facts, decision["against"])
    verdict = Decision(decision["deploy"], decision["reason"])
    recording.run_deployment(run, lambda: target.deploy(candidate, verdict))

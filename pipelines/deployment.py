"""From a saved model to what serves: load, score on the rows that nothing has read before, decide, deploy."""

from __future__ import annotations

from typing import Any

from zenml import pipeline
from zenml.enums import ExecutionMode

from mlrunner.core.build import Group
from mlrunner.steps import deploying
from mlrunner.steps.recording import RunContext
from pipelines.rows import Rows, rows


@pipeline(
    execution_mode=ExecutionMode.FAIL_FAST,
    enable_step_logs=False,
    enable_pipeline_logs=False,
    enable_artifact_metadata=False,
    enable_heartbeat=False,
)
def deployment(
    dataset: Group,
    cleaning: Group,
    split: Group,
    gate: Group,
    deployer: Group,
    tracked: RunContext,
    uri: str,
    known: dict[str, float],
    fingerprint: str,
    code: dict[str, str],
) -> None:
    """Judge a saved model, and deploy it if the gate opens."""
    parts = rows(dataset, cleaning, split, fingerprint, code, blueprint=False)
    fitted = deploying.load(uri)
    metrics = deploying.score(fitted, parts.raw, parts.test, known, dataset)
    hand_over(fitted, parts, metrics, dataset, gate, deployer, tracked)


def hand_over(
    fitted: Any, parts: Rows, metrics: Any, dataset: Group, gate: Group, deployer: Group, tracked: RunContext
) -> None:
    """Judge and deploy: how every pipeline ends that has a model."""
    decision = deploying.gate(fitted, parts.raw, parts.test, metrics, dataset, gate, deployer, tracked)
    deploying.deploy(fitted, metrics, decision, deployer, tracked)

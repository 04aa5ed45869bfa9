"""Hop 2: the run, one line a step."""

from __future__ import annotations

from zenml import pipeline
from zenml.enums import ExecutionMode

from mlrunner.core.build import Group
from mlrunner.groups.model import ModelNameConfig
from mlrunner.steps import fitting
from mlrunner.steps.recording import RunContext
from pipelines.deployment import hand_over
from pipelines.rows import rows


@pipeline(
    execution_mode=ExecutionMode.FAIL_FAST,
    enable_step_logs=False,
    enable_pipeline_logs=False,
    enable_artifact_metadata=False,
    enable_heartbeat=False,
)
def training(
    dataset: Group,
    cleaning: Group,
    split: Group,
    model: ModelNameConfig,
    gate: Group,
    deployer: Group,
    tracked: RunContext,
    fingerprint: str,
    code: dict[str, str],
    blueprint: bool,
) -> None:
    """Ingest, clean, split, train, evaluate, judge, deploy."""
    parts = rows(dataset, cleaning, split, fingerprint, code, blueprint)
    fitted = fitting.train(parts.train, parts.raw, dataset, cleaning, model, tracked)
    metrics = fitting.evaluate(fitted, parts.train, parts.validation, parts.test, parts.folds, dataset, model, tracked)
    hand_over(fitted, parts, metrics, dataset, gate, deployer, tracked)

"""A search's winner once more: the run with the validation rows among those that train."""

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
def refitting(
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
    """Ingest, clean, split, refit, judge on the test rows."""
    parts = rows(dataset, cleaning, split, fingerprint, code, blueprint)
    fitted = fitting.refit(parts.train, parts.validation, parts.raw, dataset, cleaning, model, tracked)
    metrics = fitting.judge(fitted, parts.train, parts.validation, parts.test, {}, dataset, model, tracked)
    hand_over(fitted, parts, metrics, dataset, gate, deployer, tracked)

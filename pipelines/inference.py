"""Batch prediction: one step, for only what is written and counted outlives it."""

from __future__ import annotations

from zenml import pipeline
from zenml.enums import ExecutionMode

from mlrunner.core.build import Group
from mlrunner.steps.predicting import predict
from mlrunner.steps.prediction import PredictionJob


@pipeline(
    execution_mode=ExecutionMode.FAIL_FAST,
    enable_step_logs=False,
    enable_pipeline_logs=False,
    enable_artifact_metadata=False,
    enable_heartbeat=False,
)
def inference(dataset: Group, job: PredictionJob) -> None:
    """Predict a table through what is deployed."""
    predict(dataset, job)

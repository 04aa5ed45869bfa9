"""Batch prediction in one step: only the files and the summary are kept."""

from mlrunner.core.build import Group
from mlrunner.steps.predicting import predict
from mlrunner.steps.prediction import PredictionJob

from .options import static_pipeline


@static_pipeline
def inference(dataset: Group, job: PredictionJob) -> None:
    """Predict a table with a deployed model."""
    predict(dataset, job)

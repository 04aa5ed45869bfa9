"""Predict a table in batches."""

from typing import Annotated, Any

from zenml import step

from mlrunner.core.build import Group
from mlrunner.core.redaction import reveal_group
from mlrunner.steps import prediction
from mlrunner.steps.materializers import DOCUMENT_MATERIALIZER
from mlrunner.steps.step_body import step_body


@step(enable_cache=False, enable_artifact_visualization=False, output_materializers=DOCUMENT_MATERIALIZER)
@step_body
def predict(dataset: Group, job: prediction.PredictionJob) -> Annotated[dict[str, Any], "summary"]:
    """Predict a table, write the predictions to a file, and return a summary."""
    return prediction.predict(reveal_group(dataset), job)

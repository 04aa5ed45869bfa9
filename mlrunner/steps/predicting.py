"""Predict a table in batches."""

from __future__ import annotations

from typing import Annotated, Any

from zenml import step

from mlrunner.core.build import Group
from mlrunner.steps import prediction
from mlrunner.steps.progress import shown


@step(enable_cache=False, enable_artifact_visualization=False)
@shown
def predict(dataset: Group, job: prediction.Job) -> Annotated[dict[str, Any], "summary"]:
    """Predict a table piece by piece; its predictions go to a file, what came of it is told."""
    return prediction.predict(dataset, job)

"""Predict a table in batches."""

from __future__ import annotations

from typing import Annotated, Any

from zenml import step

from mlrunner import inference
from mlrunner.build import Group
from mlrunner.progress import shown


@step(enable_cache=False, enable_artifact_visualization=False)
@shown
def predict(dataset: Group, job: inference.Job) -> Annotated[dict[str, Any], "summary"]:
    """Predict a table piece by piece; its predictions go to a file, what came of it is told."""
    return inference.predict(dataset, job)

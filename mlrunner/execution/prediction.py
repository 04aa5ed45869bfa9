"""Run a batch prediction: compose its data set and its stack, and run the pipeline."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrunner.composition.compose import compose_config
from mlrunner.composition.resolve import resolve_group
from mlrunner.core.build import build
from mlrunner.core.errors import StoreError
from mlrunner.core.redaction import hide_group

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from mlrunner.core.build import Group
    from mlrunner.steps.prediction import PredictionJob


def compose_dataset(file: str | None, overrides: list[str]) -> tuple[Group, DictConfig]:
    """Compose the data set and the stack.

    Args:
        file: File to predict; None when the overrides name a data set.
        overrides: Overrides of dataset and stack.

    Returns:
        The resolved `dataset` group, and the whole configuration.
    """
    is_parquet = file is not None and re.search(r"\.(parquet|pq)\b", file.lower()) is not None
    is_chosen = any(text.startswith("dataset=") for text in overrides)
    option = [] if is_chosen else [f"dataset={'parquet' if is_parquet else 'csv'}"]
    cfg = compose_config([*option, *overrides])
    group = resolve_group(cfg, "dataset")
    return (group if file is None else {**group, "path": file}), cfg


def run_prediction(dataset: Group, job: PredictionJob, cfg: DictConfig) -> dict[str, Any]:
    """Check the input, then run the pipeline.

    Args:
        dataset: Resolved `dataset` group.
        job: Settings of the prediction.
        cfg: Configuration that chooses the stack.

    Returns:
        The summary of `mlrunner.steps.prediction.predict`, with the name of the pipeline run.

    Raises:
        MlrunnerError: When the prediction fails; no file is written then.
    """
    from mlrunner.steps import prediction

    prediction.check(dataset, job)
    build(resolve_group(cfg, "stack"), "stack").activate(Path(cfg.home))
    from mlrunner.core.process import freeze_gc
    from pipelines.inference import inference

    freeze_gc()
    name = f"predict-{job.name}-{job.version}-{uuid.uuid4().hex[:12]}"
    pipeline_run = inference.with_options(run_name=name)(dataset=hide_group(dataset), job=job)
    if pipeline_run is None:
        raise StoreError("ZenML did not run the pipeline; see its log with -v.")
    summary = pipeline_run.steps["predict"].outputs["summary"][0].load()
    return {**summary, "pipeline_run": str(pipeline_run.name)}

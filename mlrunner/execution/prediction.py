"""Run a batch prediction: compose its data set and its stack, and run the pipeline."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mlrunner.composition.compose import compose_config
from mlrunner.composition.resolve import resolve_group
from mlrunner.core.build import build
from mlrunner.core.errors import DataError
from mlrunner.core.project import load_pipelines
from mlrunner.execution.placement import place_prediction, record_dataset, run_pipeline
from mlrunner.groups.dataset import Dataset
from mlrunner.groups.dataset.reading import apply_reading
from mlrunner.groups.dataset.streaming import read_chunks
from mlrunner.groups.stack import Stack

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


def read_rows(file: str, reading: Mapping[str, Any], most: int) -> pd.DataFrame:
    """Read raw rows for a model: CSV, Parquet, or JSON with a list of objects.

    Args:
        file: Path, glob or URL.
        reading: How the training table was read, see `mlrunner.groups.dataset.reading`.
        most: Number of rows that are read, and one more.

    Raises:
        MlrunnerError: When the file cannot be read.
    """
    if Path(file).suffix == ".json":
        return _read_json(Path(file))
    group, _ = compose_dataset(file, [])
    dataset = apply_reading(build(group, "dataset", Dataset), reading)
    with closing(read_chunks(dataset, most + 1)) as chunks:
        return next(chunks)


def _read_json(file: Path) -> pd.DataFrame:
    try:
        rows = json.loads(file.read_text())
        return pd.DataFrame(rows if isinstance(rows, list) else [rows])
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(f"{file} holds no rows ({error}); write a JSON list of objects, one a row.") from error


def run_prediction(dataset: Group, job: PredictionJob, cfg: DictConfig) -> dict[str, Any]:
    """Check the input, then run the pipeline.

    Returns:
        The summary of `mlrunner.steps.prediction.predict`, with the name of the pipeline run.

    Raises:
        MlrunnerError: When the prediction fails; no file is written then.
    """
    from mlrunner.steps import prediction

    prediction.check(dataset, job)
    stack: Stack = build(resolve_group(cfg, "stack"), "stack", Stack)
    stack.activate(Path(cfg.home))
    placement = place_prediction(stack, dataset, job)
    from mlrunner.core.process import freeze_gc

    freeze_gc()
    name = f"predict-{job.name}-{job.version}-{uuid.uuid4().hex[:12]}"
    inference = load_pipelines("inference").inference
    if placement is not None:
        job = job.model_copy(update={"out": str(Path(job.out).absolute())})  # a container has another working folder
    arguments = {"dataset": record_dataset(placement, dataset), "job": job}
    pipeline_run = run_pipeline(placement, inference, name, arguments)
    summary = pipeline_run.steps["predict"].outputs["summary"][0].load()
    return {**summary, "pipeline_run": str(pipeline_run.name)}

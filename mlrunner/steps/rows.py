"""From the raw table to the parts of the split; cached by content, settings and code."""

from __future__ import annotations

from typing import Annotated

import pandas as pd
from zenml import step

from mlrunner.core.build import Group, build
from mlrunner.groups.cleaning import DataCleaning
from mlrunner.groups.dataset import loading
from mlrunner.steps.materializers import TableMaterializer
from mlrunner.steps.progress import shown

Table = pd.DataFrame


@step(enable_artifact_visualization=False, output_materializers=TableMaterializer)
@shown
def ingest(dataset: Group, fingerprint: str, code: str, blueprint: bool) -> Annotated[Table, "raw"]:
    """Read the raw table; `fingerprint` and `code` are the cache's key beside the settings."""
    del code
    table = loading.read(dataset, fingerprint)
    return loading.few(table, dataset) if blueprint else table


@step(enable_artifact_visualization=False, output_materializers=TableMaterializer)
@shown
def clean(raw: Table, dataset: Group, cleaning: Group, code: str) -> Annotated[Table, "cleaned"]:
    """Turn raw rows into features, with target, group and time beside them."""
    del code
    return DataCleaning(raw, build(cleaning, "cleaning"), build(dataset, "dataset").roles).handle_data()


@step(
    enable_artifact_visualization=False,
    output_materializers=dict.fromkeys(("train", "validation", "test", "folds"), TableMaterializer),
)
@shown
def divide(
    cleaned: Table, split: Group, code: str
) -> tuple[
    Annotated[Table, "train"],
    Annotated[Table, "validation"],
    Annotated[Table, "test"],
    Annotated[Table, "folds"],
]:
    """Share the rows out; `folds` numbers the training rows of a cross-validation."""
    del code
    division = build(split, "split").handle_data(cleaned)
    folds = pd.DataFrame({"fold": [] if division.folds is None else division.folds})
    return division.train, division.validation, division.test, folds

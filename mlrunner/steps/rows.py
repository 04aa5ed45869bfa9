"""Make the parts of the split from the raw table; the cache's key is content, settings and code."""

from typing import Annotated

import pandas as pd
from zenml import step

from mlrunner.core.build import Group, build
from mlrunner.core.redaction import reveal_group
from mlrunner.groups.cleaning.controller import DataCleaning
from mlrunner.groups.dataset import loading
from mlrunner.steps.materializers import TABLE_MATERIALIZER
from mlrunner.steps.problem import Problem
from mlrunner.steps.step_body import step_body

Table = pd.DataFrame


@step(enable_artifact_visualization=False, output_materializers=TABLE_MATERIALIZER)
@step_body
def ingest(dataset: Group, fingerprint: str, code: str, blueprint: bool) -> Annotated[Table, "raw"]:
    """Read the raw table; `fingerprint` and `code` only complete the cache's key."""
    del code
    dataset = reveal_group(dataset)
    table = loading.read(dataset, fingerprint)
    return loading.sample_rows(table, dataset) if blueprint else table


@step(enable_artifact_visualization=False, output_materializers=TABLE_MATERIALIZER)
@step_body
def clean(raw: Table, problem: Problem, cleaning: Group, code: str) -> Annotated[Table, "cleaned"]:
    """Clean raw rows into features, with the columns of target, group and time."""
    del code
    return DataCleaning(raw, build(cleaning, "cleaning"), problem.roles).handle_data()


@step(
    enable_artifact_visualization=False,
    output_materializers=dict.fromkeys(("train", "validation", "test", "folds"), TABLE_MATERIALIZER),
)
@step_body
def divide(
    cleaned: Table, split: Group, code: str
) -> tuple[
    Annotated[Table, "train"], Annotated[Table, "validation"], Annotated[Table, "test"], Annotated[Table, "folds"]
]:
    """Split the rows; `folds` is the table of folds of a cross-validation, empty without one."""
    del code
    division = build(split, "split").handle_data(cleaned)
    folds = division.train.iloc[:0, :0] if division.folds is None else division.folds
    return division.train, division.validation, division.test, folds

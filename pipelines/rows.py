"""From the raw table to the parts of the split: the first steps of every pipeline that needs rows."""

from __future__ import annotations

from typing import Any, NamedTuple

from mlrunner.core.build import Group
from mlrunner.steps.problem import Problem
from mlrunner.steps.rows import clean, divide, ingest


class Rows(NamedTuple):
    """ZenML's artifacts of the tables."""

    raw: Any
    train: Any
    validation: Any
    test: Any
    folds: Any


def prepare_rows(
    dataset: Group,
    problem: Problem,
    cleaning: Group,
    split: Group,
    fingerprint: str,
    code: dict[str, str],
    blueprint: bool,
) -> Rows:
    """Ingest, clean and split; cached by content, settings and code."""
    raw = ingest(dataset, fingerprint, code["dataset"], blueprint)
    cleaned = clean(raw, problem, cleaning, code["cleaning"])
    train, validation, test, folds = divide(cleaned, split, code["split"])
    return Rows(raw, train, validation, test, folds)

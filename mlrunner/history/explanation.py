"""Explain a run's model: what each raw column adds to its predictions of the test rows, or of other rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlrunner.composition.foreign_sources import refuse_foreign_sources
from mlrunner.composition.trust import refuse_foreign
from mlrunner.core.build import build
from mlrunner.core.errors import ConfigError, DataError
from mlrunner.evaluation import contributions
from mlrunner.evaluation.contributions import Contributions
from mlrunner.groups.cleaning.controller import DataCleaning
from mlrunner.groups.dataset import Dataset, loading
from mlrunner.groups.dataset.reading import describe_reading
from mlrunner.tracking import model_registry
from mlrunner.tracking.records.record import DATA_TAG, MODEL_TAG

if TYPE_CHECKING:
    from mlrunner.tracking.records import Record

GROUPS = ("dataset", "cleaning", "split")
MOST_ROWS = 10_000  # to explain one by one


@dataclass(frozen=True)
class Explanation:
    """Contributions to predictions, and the rows that they are computed for.

    Args:
        run_id: Id of the run.
        name: Name of the run.
        rows: Raw rows.
        predictions: Predictions of these rows, as the saved model gives them.
        contributions: Contributions of the raw columns.
        note: Remark about the rows; empty for none.
    """

    run_id: str
    name: str
    rows: pd.DataFrame
    predictions: Any
    contributions: Contributions
    note: str = ""


def explain_test_rows(record: Record, trust: bool = False) -> Explanation:
    """Explain a sample of the run's test rows, at most `contributions.SAMPLE_ROWS`.

    Args:
        record: Run that saved a model of trees.
        trust: True to read the query or address of its data set, with the rights of the current user.

    Raises:
        MlrunnerError: When the run saved no model of trees, or its data set cannot be read.
    """
    pipeline = load_model(record)
    limit = contributions.limit_rows(pipeline)
    rows, note = read_test_rows(record, trust)
    sample = rows.iloc[:: max(1, len(rows) // limit)].head(limit)
    return _explain(record, pipeline, sample, note)


def explain_rows(record: Record, rows: pd.DataFrame) -> Explanation:
    """Explain raw rows.

    Args:
        record: Run that saved a model of trees.
        rows: Raw rows, at most `MOST_ROWS`.

    Raises:
        MlrunnerError: When there is no such model, or it does not take the rows.
    """
    pipeline = load_model(record)
    contributions.limit_rows(pipeline)
    if not 0 < len(rows) <= MOST_ROWS:
        raise DataError(f"mlrunner explain takes 1 to {MOST_ROWS:,} rows, got {len(rows):,}.")
    return _explain(record, pipeline, rows)


def load_model(record: Record) -> Any:
    """Load the saved pipeline of a run.

    Raises:
        ConfigError: When the run saved no model.
    """
    if MODEL_TAG not in record.tags:
        raise ConfigError(f"Run {record.short} saved no model; run it again with tracking.log_model=true.")
    return model_registry.load_model(record.tags[MODEL_TAG])


def read_test_rows(record: Record, trust: bool = False) -> tuple[pd.DataFrame, str]:
    """Read, clean and split the data set of a run again; see `explain_test_rows`.

    Returns:
        The raw test rows, and a remark if the data set has changed since.
    """
    config = record.read_config()
    refuse_foreign(config, GROUPS)
    if not trust:
        refuse_foreign_sources(config["dataset"])
    dataset: Dataset = build(config["dataset"], "dataset", Dataset)
    fingerprint = dataset.fingerprint()
    raw = loading.read(config["dataset"], fingerprint)
    raw = loading.sample_rows(raw, config["dataset"]) if config.get("blueprint") else raw
    cleaned = DataCleaning(raw, build(config["cleaning"], "cleaning"), dataset.roles).handle_data()
    test = build(config["split"], "split").handle_data(cleaned).test
    has_changed = fingerprint != record.tags.get(DATA_TAG)
    return raw.loc[test.index], "the data set has changed since the run" if has_changed else ""


def read_reading(record: Record) -> dict[str, Any]:
    """Return the options that tell how CSV with the rows of a run's data set is read."""
    config = record.read_config()
    refuse_foreign(config, GROUPS[:1])
    return describe_reading(build(config["dataset"], "dataset", Dataset))


def _explain(record: Record, pipeline: Any, rows: pd.DataFrame, note: str = "") -> Explanation:
    cleaned = pipeline[:1].transform(rows)
    encoded = contributions.explain(pipeline[1:], cleaned)
    dates = getattr(getattr(pipeline[0], "strategy", None), "date_columns", {})
    sources = [find_source(name, rows.columns, dates) for name in encoded.columns]
    predictions = np.ravel(pipeline[1:].predict(cleaned))
    return Explanation(record.run_id, record.name, rows, predictions, encoded.sum_by(sources), note)


def find_source(name: str, raw: Iterable[str], dates: Iterable[str]) -> str:
    """Return the raw column that a cleaned column is made of; its own name if it is made of several.

    Args:
        name: Cleaned column, such as `ordered_month`.
        raw: Raw columns.
        dates: Raw columns that are read as dates.
    """
    if name in raw:
        return name
    made_of = [date for date in dates if name.startswith(f"{date}_")]
    return max(made_of, key=len, default=name)

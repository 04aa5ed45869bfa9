"""Read runs from the tracking store as plain values, by MLflow's filter grammar.

Importing MLflow takes three seconds: `sqlite_store` reads a SQLite store without it, `mlflow_store` reads any other
store through its client. A test holds both to the same answers.
"""

from __future__ import annotations

from mlrunner.tracking.records.record import (
    BEST_TAG,
    CONFIG_FILE,
    DATA_TAG,
    FOLDER_TAG,
    MODEL_TAG,
    REOPENED_TAG,
    REPRODUCES_TAG,
    STATUSES,
    STUDY_TAG,
    SWEEP_TAG,
    TRIAL_TAG,
    WINNER_OF_TAG,
    WINNER_TAG,
    Record,
    journal_path,
)
from mlrunner.tracking.records.store import Fields, Store, match_labels, quote, separate_stack_overrides

SQLITE = "sqlite:///"
__all__ = [
    "BEST_TAG",
    "CONFIG_FILE",
    "DATA_TAG",
    "FOLDER_TAG",
    "MODEL_TAG",
    "REOPENED_TAG",
    "REPRODUCES_TAG",
    "SQLITE",
    "STATUSES",
    "STUDY_TAG",
    "SWEEP_TAG",
    "TRIAL_TAG",
    "WINNER_OF_TAG",
    "WINNER_TAG",
    "Fields",
    "Record",
    "Store",
    "journal_path",
    "match_labels",
    "quote",
    "separate_stack_overrides",
]

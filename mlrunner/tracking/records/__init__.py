"""Read what runs left in MLflow's store: a run as plain values, found by MLflow's own filters.

Importing MLflow takes three seconds, so what only reads does without where the store is SQLite (`sqlite`); any other
store is asked through MLflow's client (`client`). Both answer alike: a test holds them to it.
"""

from __future__ import annotations

from mlrunner.tracking.records.record import (
    BEST,
    CONFIG,
    DATA,
    FOLDER,
    MODEL,
    REOPENED,
    REPRODUCES,
    STATUSES,
    STUDY,
    SWEEP,
    TRIAL,
    TRIALS,
    WINNER,
    WINNER_OF,
    Record,
    journal_of,
    read_yaml,
)
from mlrunner.tracking.records.store import Only, Store, labels_of, quoted, split

SQLITE = "sqlite:///"
__all__ = [
    "BEST",
    "CONFIG",
    "DATA",
    "FOLDER",
    "MODEL",
    "REOPENED",
    "REPRODUCES",
    "SQLITE",
    "STATUSES",
    "STUDY",
    "SWEEP",
    "TRIAL",
    "TRIALS",
    "WINNER",
    "WINNER_OF",
    "Only",
    "Record",
    "Store",
    "journal_of",
    "labels_of",
    "open_store",
    "quoted",
    "read_yaml",
    "split",
    "tracking_uri",
]

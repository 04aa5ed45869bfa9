"""Read what runs left in MLflow's store: a run as plain values, found by MLflow's own filters.

Importing MLflow takes three seconds, so what only reads does without where the store is SQLite (`sqlite`); any other
store is asked through MLflow's client (`client`). Both answer alike: a test holds them to it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlrunner.records.record import (
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
from mlrunner.records.store import Only, Store, labels_of, quoted, split

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


def tracking_uri(home: Path, overrides: Sequence[str] = ()) -> str:
    """Say where the runs are recorded: the environment's word, else the stack's.

    Args:
        home: The folder that holds `.mlrunner/`.
        overrides: Of the group `stack`; what must be composed takes Hydra's time.
    """
    if "MLFLOW_TRACKING_URI" in os.environ:
        return os.environ["MLFLOW_TRACKING_URI"]
    conf = Path(os.environ["MLRUNNER_PROJECT"]) / "conf"
    if not overrides:
        choice = next(
            one["stack"] for one in read_yaml((conf / "config.yaml").read_text())["defaults"] if "stack" in one
        )
        told = str(read_yaml((conf / "stack" / f"{choice}.yaml").read_text())["tracking_uri"])
        told = told.replace("${home}", str(home))
        if told.startswith(SQLITE) and "${" not in told:
            return told
    from hydra import compose, initialize_config_dir

    from mlrunner.build import build
    from mlrunner.composition.values import plain

    with initialize_config_dir(str(conf), version_base="1.3"):
        stack: Any = build(plain(compose("config", list(overrides)), "stack"), "stack")
    stack.announce(home)
    return os.environ["MLFLOW_TRACKING_URI"]


def open_store(home: Path, overrides: Sequence[str] = ()) -> Store:
    """Open the store for reading; nothing is made where there is none yet.

    Args:
        home: The folder that holds `.mlrunner/`.
        overrides: Of the group `stack`, like `stack=mlflow_server`.
    """
    uri = tracking_uri(home, overrides)
    from mlrunner.records import sqlite

    if uri.startswith(SQLITE):
        file = Path(uri.removeprefix(SQLITE).partition("?")[0])
        if not file.exists() or sqlite.can_read(file):
            return sqlite.SqliteStore(file)
    from mlrunner.stack import servers

    if servers.is_remote(uri):
        servers.reach(uri, "stack.tracking_uri")  # MLflow itself would try for minutes
    from mlrunner.records.client import ClientStore

    return ClientStore(uri)

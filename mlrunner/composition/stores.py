"""TODO."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlrunner.tracking.records import SQLITE
from mlrunner.tracking.records.record import read_yaml
from mlrunner.tracking.records.store import Store


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

    from mlrunner.composition.resolve import plain
    from mlrunner.core.build import build

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
    from mlrunner.tracking.records import sqlite_store

    if uri.startswith(SQLITE):
        file = Path(uri.removeprefix(SQLITE).partition("?")[0])
        if not file.exists() or sqlite_store.can_read(file):
            return sqlite_store.SqliteStore(file)
    from mlrunner.groups.stack import reachability

    if reachability.is_remote(uri):
        reachability.reach(uri, "stack.tracking_uri")  # MLflow itself would try for minutes
    from mlrunner.tracking.records.mlflow_store import ClientStore

    return ClientStore(uri)

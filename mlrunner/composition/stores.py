"""Find the store of the runs without a run: by the environment, the configuration files, or the `stack` group."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlrunner.core import environment
from mlrunner.core.conf_files import list_folders
from mlrunner.core.project import CONF, OUTPUT, OWN, PRIMARY
from mlrunner.core.safe_yaml import read_yaml
from mlrunner.groups.stack import preflight, schema
from mlrunner.tracking.records import SQLITE
from mlrunner.tracking.records.store import Store


def tracking_uri(home: Path, overrides: Sequence[str] = ()) -> str:
    """Return the address of the store of the runs: that of the environment, or else that of the stack.

    Args:
        home: Folder that holds `.mlrunner/`.
        overrides: Overrides of the `stack` group; with any, Hydra composes the stack, which takes longer.
    """
    address = environment.tracking_uri() or (None if overrides else _read_default_address(home))
    if address is not None:
        return address
    from mlrunner.composition.compose import compose_config
    from mlrunner.composition.resolve import resolve_group
    from mlrunner.core.build import build

    stack: Any = build(resolve_group(compose_config(overrides), "stack"), "stack")
    stack.export_environment(home)
    return str(environment.tracking_uri())


def _read_default_address(home: Path) -> str | None:
    """Read the address of the default stack from its file; None when Hydra has to resolve it."""
    if any(map(_changes_stack, list_folders()[:-1])):
        return None
    defaults = read_yaml((CONF / f"{PRIMARY}.yaml").read_text())["defaults"]
    option = next(choice["stack"] for choice in defaults if "stack" in choice)
    address = str(read_yaml((CONF / "stack" / f"{option}.yaml").read_text())["tracking_uri"])
    address = address.replace("${home}", str(home))
    return address if address.startswith(SQLITE) and "${" not in address else None


def _changes_stack(conf: Path) -> bool:
    """Check whether the configuration files of a project may change the stack or its address."""
    config = conf / f"{OWN}.yaml"
    return (conf / "stack").is_dir() or (
        config.is_file() and re.search(r"\b(stack|home)\b", config.read_text()) is not None
    )


def open_store(home: Path, overrides: Sequence[str] = ()) -> Store:
    """Open the store of the runs for reading; it is not created when it does not exist.

    Args:
        home: Folder that holds `.mlrunner/`.
        overrides: Overrides of the `stack` group, such as `stack=mlflow_server`.

    Raises:
        ConfigError: When the address is a folder, which MLflow refuses.
        StoreError: When a server does not answer, or a newer mlrunner made the store.
    """
    schema.check_layout(home / OUTPUT)
    uri = tracking_uri(home, overrides)
    preflight.refuse_file_store(uri)
    from mlrunner.tracking.records import sqlite_store

    if uri.startswith(SQLITE):
        file = Path(uri.removeprefix(SQLITE).partition("?")[0])
        if not file.exists() or sqlite_store.can_read(file):
            return sqlite_store.SqliteStore(file)
    from mlrunner.groups.stack import reachability

    if reachability.is_remote(uri):
        reachability.fetch_page(uri, "stack.tracking_uri")  # MLflow itself would try for minutes
    import mlflow

    from mlrunner.tracking.records.mlflow_store import MlflowStore

    mlflow.set_tracking_uri(uri)
    return MlflowStore(uri)


def export_tracking_uri(home: Path) -> None:
    """Set the address of MLflow and its quiet mode, unless a stack has set them."""
    environment.set_defaults(
        {
            "MLFLOW_TRACKING_URI": tracking_uri(home),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_LOGGING_LEVEL": "ERROR",
            "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        }
    )

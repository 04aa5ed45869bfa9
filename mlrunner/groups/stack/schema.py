"""Versions of the stores: those of an older version are upgraded, those of a newer one are refused."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

from mlrunner.core.errors import StoreError

LAYOUT = 1  # of `.mlrunner/`: raise it with a change that an older mlrunner cannot read
LAYOUT_FILE = "layout"  # absent before there was a second layout to tell apart
MLFLOW_REVISIONS = "mlflow.store.db_migrations.versions"
OUTDATED = re.compile(r"schema \(found version (\w+), but expected \w+\)")  # as MLflow says it
UNKNOWN_REVISION = re.compile(r"Can't locate revision identified by '([^']+)'")  # as ZenML's Alembic says it
REMEDY = "install the newer one, or set MLRUNNER_HOME to another folder"


def mark_layout(folder: Path) -> None:
    """Write the layout of a new folder, and check that of one that exists.

    Raises:
        StoreError: When a newer mlrunner made the folder.
        OSError: When it cannot be written.
    """
    check_layout(folder)
    file = folder / LAYOUT_FILE
    if not file.exists():
        file.write_text(f"{LAYOUT}\n")


def check_layout(folder: Path) -> None:
    """Check that this version can read a folder of stores; it need not exist.

    Raises:
        StoreError: When a newer mlrunner made the folder.
    """
    file = folder / LAYOUT_FILE
    text = file.read_text().strip() if file.exists() else str(LAYOUT)
    if not text.isdecimal() or int(text) > LAYOUT:
        raise StoreError(
            f"{folder} was written by a newer mlrunner (layout {text[:20]}; this one reads up to {LAYOUT}); {REMEDY}."
        )


def upgrade_mlflow(uri: str, error: Exception) -> bool:
    """Upgrade MLflow's SQLite database when an error says that its schema is older.

    Returns:
        Whether the database was upgraded; False when the error has another reason.

    Raises:
        StoreError: When the schema is newer, or belongs to a database that others may use.
    """
    found = OUTDATED.search(str(error))
    if found is None:
        return False
    if not any(file.name.startswith(f"{found[1]}_") for file in files(MLFLOW_REVISIONS).iterdir()):
        raise StoreError(f"MLflow's database was written by a newer MLflow (schema {found[1]}); {REMEDY}.")
    command = [sys.executable, "-m", "mlflow", "db", "upgrade", uri]
    if not uri.startswith("sqlite:"):
        raise StoreError(
            "MLflow's database has an older schema; make a copy of it, and upgrade it with `mlflow db upgrade` and its "
            "address while no run uses it."
        )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StoreError(f"`mlflow db upgrade {uri}` failed: {done.stderr.strip().splitlines()[-1]}.")
    return True


def explain_zenml_revision(error: Exception) -> str | None:
    """Explain an error of ZenML about a database of a newer ZenML; None for other errors."""
    found = UNKNOWN_REVISION.search(str(error))
    return None if found is None else f"ZenML's store was written by a newer ZenML ({found[1]}); {REMEDY}."

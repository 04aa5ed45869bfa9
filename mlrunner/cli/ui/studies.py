"""Optuna's dashboard on the study of a sweep, where it is installed."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from mlrunner.cli.playground.service import DIRECT
from mlrunner.tracking.records import STUDY, SWEEP, TRIAL, Record, Store, quoted
from mlrunner.tracking.study_lookup import journal, storage

MISSING = "optuna-dashboard is not installed, which shows studies: pip install -e .[dashboard]"
STORAGE = "MLRUNNER_STUDIES"  # not in the command line, which all can read: it may hold a password
SERVE = (
    "import os, sys, optuna_dashboard; "
    f"optuna_dashboard.run_server(os.environ['{STORAGE}'], sys.argv[1], int(sys.argv[2]))"
)
SEARCHES = f"tags.`{STUDY}` IS NOT NULL and tags.`{TRIAL}` IS NULL"


@dataclass(frozen=True)
class Study:
    """A study that can be shown.

    Args:
        name: Optuna's.
        storage: A journal file or a URL.
    """

    name: str
    storage: str

    def command(self, host: str, port: int) -> list[str]:
        """Write the command that serves its dashboard."""
        return [sys.executable, "-c", SERVE, host, str(port)]

    @property
    def environment(self) -> dict[str, str]:
        """Tell that command where the study is."""
        return {STORAGE: self.storage}

    def page(self, url: str) -> str:
        """Find its page, by the number that the dashboard gives it."""
        try:
            with DIRECT.open(f"{url}/api/studies", timeout=10) as found:
                known = json.load(found)["study_summaries"]
        except (OSError, ValueError, KeyError):
            return f"{url}/dashboard/"
        number = next((one["study_id"] for one in known if one["study_name"] == self.name), None)
        return f"{url}/dashboard/" + ("" if number is None else f"studies/{number}")


def is_installed() -> bool:
    """Tell whether there is a dashboard to start."""
    return importlib.util.find_spec("optuna_dashboard") is not None


def study_of(store: Store, record: Record | None, home: Path) -> Study | None:
    """Find the study of what was named, else that of the newest search.

    Args:
        store: Where runs are recorded.
        record: A sweep or a run that was named; None for neither.
        home: The folder that holds `.mlrunner/`.
    """
    sweep = None if record is None else record.tags.get(SWEEP)
    if record is not None and sweep is None:
        return None
    only = "" if sweep is None else f" and tags.`{SWEEP}` = {quoted(sweep)}"
    found = store.one(f"{SEARCHES}{only}")
    if found is None:
        return None
    name, told = found.tags[STUDY], storage(found)
    if told is None:
        file = journal(found, home, name)
        return None if file is None else Study(name, str(file))
    return Study(name, told) if isinstance(told, str) else None

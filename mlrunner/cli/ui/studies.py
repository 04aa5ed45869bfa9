"""Which study optuna-dashboard shows."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

from mlrunner.core.child_server import LOOPBACK
from mlrunner.tracking.records import STUDY, SWEEP, TRIAL, Record, Store, quoted
from mlrunner.tracking.study_lookup import journal, storage

MISSING = "optuna-dashboard is not installed, which shows studies: pip install -e .[dashboard]"


@dataclass(frozen=True)
class Study:
    """A study.

    Args:
        name: Name of the study.
        storage: Path of a journal file, or a URL.
    """

    name: str
    storage: str

    def page(self, url: str) -> str:
        """Return the address of the study's page, by the id that optuna-dashboard gives it."""
        try:
            with LOOPBACK.open(f"{url}/api/studies", timeout=10) as response:
                ids = {study["study_name"]: study["study_id"] for study in json.load(response)["study_summaries"]}
        except (OSError, ValueError, KeyError):
            ids = {}
        return f"{url}/dashboard/" + (f"studies/{ids[self.name]}" if self.name in ids else "")


def is_installed() -> bool:
    """Tell whether optuna-dashboard is installed."""
    return importlib.util.find_spec("optuna_dashboard") is not None


def find(store: Store, record: Record | None, home: Path) -> Study | None:
    """Find the study of a sweep, or of the newest search when no record is given; None for a run outside a sweep."""
    where = f"tags.`{STUDY}` IS NOT NULL and tags.`{TRIAL}` IS NULL"
    if record is not None:
        if SWEEP not in record.tags:
            return None
        where += f" and tags.`{SWEEP}` = {quoted(record.tags[SWEEP])}"
    search = store.one(where)
    if search is None:
        return None
    name = search.tags[STUDY]
    place = storage(search) or journal(search, home, name)
    return Study(name, str(place)) if isinstance(place, str | Path) else None

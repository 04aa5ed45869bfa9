"""Find the study that optuna-dashboard shows."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

from mlrunner.core.loopback import request
from mlrunner.tracking.records import STUDY_TAG, SWEEP_TAG, TRIAL_TAG, Record, Store, quote
from mlrunner.tracking.study_lookup import find_default_journal, read_storage_setting

MISSING = "studies need optuna-dashboard, which is not installed: pip install -e .[dashboard]"


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
            summaries = json.loads(request(f"{url}/api/studies", timeout=10).body)["study_summaries"]
            ids = {study["study_name"]: study["study_id"] for study in summaries}
        except (OSError, ValueError, KeyError):
            ids = {}
        return f"{url}/dashboard/" + (f"studies/{ids[self.name]}" if self.name in ids else "")


def is_installed() -> bool:
    """Check whether optuna-dashboard is installed."""
    return importlib.util.find_spec("optuna_dashboard") is not None


def find_study(store: Store, record: Record | None, home: Path) -> Study | None:
    """Find the study of a sweep, or of the newest search when no record is given; None for a run outside a sweep."""
    where = f"tags.`{STUDY_TAG}` IS NOT NULL and tags.`{TRIAL_TAG}` IS NULL"
    if record is not None:
        if SWEEP_TAG not in record.tags:
            return None
        where += f" and tags.`{SWEEP_TAG}` = {quote(record.tags[SWEEP_TAG])}"
    search = store.find_first(where)
    if search is None:
        return None
    name = search.tags[STUDY_TAG]
    place = read_storage_setting(search, home) or find_default_journal(search, home, name)
    return Study(name, str(place)) if isinstance(place, str | Path) else None

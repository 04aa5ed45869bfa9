"""Rows of a table of runs, made without a store."""

from __future__ import annotations

from typing import Any

from mlrunner.history.listing.columns import select_columns
from mlrunner.history.listing.entries import Entry
from mlrunner.history.listing.sweep import SweepEntry
from mlrunner.tracking.records import Record


def make_record(**fields: Any) -> Record:
    """Make a run; fields replace the defaults."""
    defaults: dict[str, Any] = {
        "run_id": "a" * 32,
        "name": "model=rf,max_depth=3",
        "status": "FINISHED",
        "start": 1_700_000_000_000,
        "end": 1_700_000_001_000,
        "experiment": "mlrunner",
        "artifact_uri": "",
        "params": {"objective.metric": "r2", "tracking.name": "null"},
        "metrics": {"r2": 0.5},
        "tags": {"mlrunner.folder": "/runs/a"},
    }
    return Record(**{**defaults, **fields})


def make_entry(**fields: Any) -> Entry:
    """Make a row of a run."""
    record = make_record(**fields)
    return Entry(record, record, None)


def cell_text(name: str, entry: Entry) -> str:
    """Return the text of a cell of a row."""
    return select_columns(name, isinstance(entry, SweepEntry))[0].text(entry).plain

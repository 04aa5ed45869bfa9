"""Rows of a table of runs, made without a store."""

from __future__ import annotations

from typing import Any

from mlrunner.history.listing.columns import select_columns
from mlrunner.history.listing.entries import Entry
from mlrunner.history.listing.sweep import SweepEntry
from tests.support.records import make_record


def make_entry(**fields: Any) -> Entry:
    """Make a row of a run."""
    record = make_record(**fields)
    return Entry(record, record, None)


def cell_text(name: str, entry: Entry) -> str:
    """Return the text of a cell of a row."""
    return select_columns(name, isinstance(entry, SweepEntry))[0].text(entry).plain

"""Sides of a comparison, made without a store."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mlrunner.groups.dataset.profile import profile
from mlrunner.history.diff import Comparison, compare
from mlrunner.history.diff.sides import Side
from mlrunner.tracking.records import Record
from mlrunner.tracking.records.record import DATA_TAG
from mlrunner.tracking.records.snapshot import Provenance, Snapshot
from tests.support import records


def make_record(run_id: str = "a" * 32, **tags: str) -> Record:
    """Make a run with the target y; tags lack their prefix `mlrunner.`."""
    own = {DATA_TAG: "d", **{f"mlrunner.{key}": value for key, value in tags.items()}}
    return records.make_record(run_id=run_id, name="name", params={"dataset.target": "y"}, metrics={}, tags=own)


def make_side(config: dict[str, Any] | None = None, metrics: dict[str, float] | None = None, **fields: Any) -> Side:
    """Make a side whose objective is r2."""
    snapshot = Snapshot({"objective": {"metric": "r2"}, **(config or {})})
    return Side("label", "name", snapshot, metrics or {}, **fields)


def make_profiled_side(**columns: Any) -> Side:
    """Make a side whose run recorded a table."""
    table = pd.DataFrame(columns)
    data = {"fingerprint": str(hash(table.to_csv())), "target": "y", **profile(table)}
    return make_side(provenance=Provenance(data=data), record=make_record(data_hash=data["fingerprint"]))


def make_comparison() -> Comparison:
    """Compare two sides that differ in values, lists and scores."""
    first = make_side({"model": {"depth": 3, "drop": ["a", "b"]}, "note": "x | <y>"}, {"test/r2": 0.5})
    second = make_side(
        {"model": {"depth": 4, "drop": ["b", "c"]}, "added": {"deep": 1}, "note": "z"}, {"test/r2": 0.75}
    )
    return compare((first, second))

"""Explain a run by name: for `mlrunner explain` and the Python API."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlrunner.composition.stores import export_tracking_uri, open_store
from mlrunner.execution.prediction import read_rows
from mlrunner.history import explanation
from mlrunner.tracking.records import lookup

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from mlrunner.history.explanation import Explanation


def explain(
    name: str, rows: str | pd.DataFrame | None, home: Path, overrides: Sequence[str] = (), trust: bool = False
) -> Explanation:
    """Explain the model of a run.

    Args:
        name: Name of a run or a sweep, as `records.lookup.find` takes it.
        rows: Raw rows to explain one by one, or their file; None: a sample of the test rows.
        home: Folder that holds `.mlrunner/`.
        overrides: Overrides of the stack.
        trust: True to read the query or address of the run's data set, with the rights of the current user.

    Raises:
        MlrunnerError: When there is no such run, it saved no model of trees, or the rows cannot be read.
    """
    store = open_store(home, overrides)
    export_tracking_uri(home)
    record = lookup.resolve_sweep(store, lookup.find(store, name, home, saved=True))
    if rows is None:
        return explanation.explain_test_rows(record, trust)
    if isinstance(rows, str):
        rows = read_rows(rows, explanation.read_reading(record), explanation.MOST_ROWS)
    return explanation.explain_rows(record, rows)

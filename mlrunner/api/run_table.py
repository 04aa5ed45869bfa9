"""The table of runs that `mlrunner.runs` returns."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from mlrunner.tracking.records import Record

COLUMNS = ["run_id", "name", "status", "start", "seconds"]  # of an empty table


def make_table(records: Iterable[Record]) -> pd.DataFrame:
    """Make a table with a row for each run, and the columns that `mlflow.search_runs` has."""
    import pandas as pd

    rows = [
        {
            "run_id": record.run_id,
            "name": record.name,
            "status": record.status,
            "start": pd.Timestamp(record.start, unit="ms", tz="UTC"),
            "seconds": record.seconds,
            **{f"metrics.{name}": value for name, value in record.metrics.items()},
            **{f"params.{name}": value for name, value in record.params.items()},
            **{f"tags.{name}": value for name, value in record.tags.items()},
        }
        for record in records
    ]
    return pd.DataFrame(rows, columns=None if rows else COLUMNS)

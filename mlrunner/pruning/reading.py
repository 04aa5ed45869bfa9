"""Read all runs of a store with what a prune asks of them, and not the rest: thousands in a second."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence

from mlrunner.pruning import MARK, STUDY
from mlrunner.pruning.selection import PARTS
from mlrunner.records import DATA, FOLDER, MODEL, SWEEP, TRIAL, WINNER_OF, Record, Store
from mlrunner.records.sqlite import FROM, SqliteStore, connected

METRIC = ("objective.metric", "goal")  # of which a record knows its metric
TAGS = (FOLDER, SWEEP, TRIAL, WINNER_OF, DATA, MODEL, MARK, STUDY)
Values = dict[str, dict[str, object]]


def everything(store: Store) -> list[Record]:
    """Read every run, newest first; of the parameters only the metric."""
    if not isinstance(store, SqliteStore):
        return store.search()
    if not store.file.exists():
        return []
    with connected(store.file) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute(f"SELECT runs.*, e.name AS experiment {FROM} ORDER BY start_time DESC").fetchall()
        connection.row_factory = None
        params, tags = _values(connection, "params", METRIC), _values(connection, "tags", TAGS)
        names = {_record(row, params, tags, defaultdict(dict)).metric for row in rows}
        metrics = _values(connection, "latest_metrics", [f"{part}{name}" for name in names for part in PARTS])
    return [_record(row, params, tags, metrics) for row in rows]


def _values(connection: sqlite3.Connection, table: str, keys: Sequence[str]) -> Values:
    found: Values = defaultdict(dict)
    text = f"SELECT run_uuid, key, value FROM {table} WHERE key IN ({', '.join('?' * len(keys))})"
    text += " AND NOT is_nan" if table == "latest_metrics" else ""
    for run_id, key, value in connection.execute(text, list(keys)):
        found[run_id][key] = value
    return found


def _record(row: sqlite3.Row, params: Values, tags: Values, metrics: Values) -> Record:
    run_id = str(row["run_uuid"])
    return Record(
        run_id=run_id,
        name=str(row["name"] or ""),
        status=str(row["status"]),
        start=int(row["start_time"] or 0),
        end=row["end_time"],
        experiment=str(row["experiment"]),
        artifact_uri=str(row["artifact_uri"]),
        params={key: str(value) for key, value in params[run_id].items()},
        metrics={key: float(str(value)) for key, value in metrics[run_id].items()},
        tags={key: str(value) for key, value in tags[run_id].items()},
    )

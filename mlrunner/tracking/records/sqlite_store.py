"""Read MLflow's SQLite store without MLflow, which takes seconds to import."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlrunner.core.errors import StoreError
from mlrunner.tracking.records import (
    SWEEP_TAG,
    TRIAL_TAG,
    WINNER_OF_TAG,
    Fields,
    Record,
    Store,
    filter_grammar,
    filter_sql,
    match_labels,
)
from mlrunner.tracking.records.liveness import make_record
from mlrunner.tracking.records.record import INTERRUPTED, INTERRUPTED_TAG

BUSY_TIMEOUT = 30.0  # seconds that a reader waits for a writer
IDS_PER_QUERY = 500  # below the number of parameters that SQLite allows
COLUMNS = {  # that this module reads
    "runs": "run_uuid name status start_time end_time lifecycle_stage artifact_uri experiment_id",
    "experiments": "experiment_id name lifecycle_stage",
    "params": "key value run_uuid",
    "latest_metrics": "key value is_nan run_uuid",
    "tags": "key value run_uuid",
    "registered_model_aliases": "alias version name",
    "model_versions": "name version run_id",
}
FROM = (
    "FROM runs JOIN experiments e USING (experiment_id) "
    "WHERE runs.lifecycle_stage = 'active' AND e.lifecycle_stage = 'active'"
)
TAGGED = "EXISTS (SELECT 1 FROM tags t WHERE t.run_uuid = runs.run_uuid AND t.key = '{}')"
PARENT = f"{TAGGED.format(SWEEP_TAG)} AND NOT {TAGGED.format(TRIAL_TAG)}"


@contextmanager
def connect(file: Path) -> Iterator[sqlite3.Connection]:
    """Open a database for reading.

    Raises:
        StoreError: If it cannot be read.
    """
    try:
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?{_choose_mode(file)}", uri=True, timeout=BUSY_TIMEOUT)
        try:
            connection.execute("PRAGMA case_sensitive_like = true")  # MLflow sets it too
            yield connection
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StoreError(
            f"MLflow's store {file} cannot be read: {error}; see MLFLOW_TRACKING_URI and stack.*."
        ) from error


def _choose_mode(file: Path) -> str:
    """Treat a database in a folder that cannot be written as unchanging: SQLite has no place for its log."""
    has_log = file.with_name(f"{file.name}-wal").exists()
    return "mode=ro" if has_log or os.access(file.parent, os.W_OK) else "immutable=1"


def can_read(file: Path) -> bool:
    """Return whether the database has the tables that this module reads; other versions of MLflow may differ."""
    with connect(file) as connection:
        for table, columns in COLUMNS.items():
            if not {*columns.split()} <= {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}:
                return False
    return True


class SqliteStore(Store):
    """MLflow's store in a SQLite file.

    Args:
        file: Path of the database; a file that does not exist is an empty store.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    def search(
        self,
        where: str = "",
        sort: Sequence[str] = (),
        limit: int | None = None,
        parents: bool = True,
        fields: Fields | None = None,
    ) -> list[Record]:
        """See `Store.search`."""
        conditions = [filter_sql.translate_clause(clause) for clause in filter_grammar.parse(where)]
        order = filter_sql.translate_order(filter_grammar.parse_order(sort))
        if not self.file.exists():
            return []
        clauses = [condition.text for condition in conditions] + ([] if parents else [f"NOT ({PARENT})"])
        filters = "".join(f" AND {clause}" for clause in clauses)
        values = [value for fragment in (*conditions, order) for value in fragment.values]
        query = f"SELECT runs.*, e.name AS experiment {FROM}{filters} ORDER BY {order.text} LIMIT ?"
        with connect(self.file) as connection:
            connection.row_factory = sqlite3.Row
            rows = connection.execute(query, [*values, -1 if limit is None else limit]).fetchall()
            ids = [str(row["run_uuid"]) for row in rows]
            params, metrics, tags = (
                _read_pairs(connection, table, ids, None if fields is None else names)
                for table, names in zip(("params", "latest_metrics", "tags"), fields or Fields(), strict=True)
            )
        return [_to_record(row, params, metrics, tags) for row in rows]

    def count_statuses(self, sweeps: Sequence[str]) -> dict[str, dict[str, int]]:
        """See `Store.count_statuses`."""
        counts: dict[str, dict[str, int]] = {}
        if not self.file.exists():
            return counts
        query = (
            "SELECT sweep, status, count(*) FROM (SELECT s.value AS sweep, "
            f"CASE WHEN i.key IS NULL THEN runs.status ELSE '{INTERRUPTED}' END AS status, "
            "row_number() OVER (PARTITION BY s.value, n.value ORDER BY i.key IS NOT NULL, runs.start_time DESC) "
            "AS place "
            "FROM tags s JOIN runs ON runs.run_uuid = s.run_uuid "
            f"JOIN tags n ON n.run_uuid = s.run_uuid AND n.key = '{TRIAL_TAG}' "
            f"LEFT JOIN tags w ON w.run_uuid = s.run_uuid AND w.key = '{WINNER_OF_TAG}' "
            f"LEFT JOIN tags i ON i.run_uuid = s.run_uuid AND i.key = '{INTERRUPTED_TAG}' "
            f"WHERE s.key = '{SWEEP_TAG}' AND w.key IS NULL AND runs.lifecycle_stage = 'active' "
            f"AND s.value IN ({', '.join('?' * len(sweeps))})) WHERE place = 1 GROUP BY 1, 2"
        )
        with connect(self.file) as connection:
            for sweep, status, count in connection.execute(query, list(sweeps)):
                counts.setdefault(sweep, {})[status] = count
        return counts

    def list_labels(self, prefix: str, limit: int, sweeps: bool = False) -> list[str]:
        """See `Store.list_labels`."""
        if not self.file.exists():
            return []
        query = (
            "SELECT runs.run_uuid, runs.name, s.value, n.value FROM runs "
            "JOIN experiments e USING (experiment_id) "
            f"LEFT JOIN tags s ON s.run_uuid = runs.run_uuid AND s.key = '{SWEEP_TAG}' "
            f"LEFT JOIN tags n ON n.run_uuid = runs.run_uuid AND n.key = '{TRIAL_TAG}' "
            "WHERE runs.lifecycle_stage = 'active' AND e.lifecycle_stage = 'active' ORDER BY runs.start_time DESC"
        )
        with connect(self.file) as connection:
            return match_labels(connection.execute(query), prefix, limit, sweeps)

    def read_aliases(self) -> list[tuple[str, str, int, str]]:
        """See `Store.read_aliases`."""
        if not self.file.exists():
            return []
        query = (
            "SELECT a.name, a.alias, a.version, v.run_id FROM registered_model_aliases a JOIN model_versions v "
            "ON v.name = a.name AND v.version = a.version ORDER BY a.name, a.alias"
        )
        with connect(self.file) as connection:
            return [
                (str(name), str(alias), int(number), str(run_id))
                for name, alias, number, run_id in connection.execute(query)
            ]


def _read_pairs(
    connection: sqlite3.Connection, table: str, ids: list[str], keys: tuple[str, ...] | None
) -> dict[str, dict[str, Any]]:
    """Read key-value pairs by run; `keys` limits them, None reads all."""
    pairs: dict[str, dict[str, Any]] = {run_id: {} for run_id in ids}
    condition = "" if keys is None else f" AND key IN ({', '.join('?' * len(keys))})"
    condition += " AND NOT is_nan" if table == "latest_metrics" else ""
    for start in range(0, len(ids) if keys != () else 0, IDS_PER_QUERY):
        batch = ids[start : start + IDS_PER_QUERY]
        marks = ", ".join("?" * len(batch))
        query = f"SELECT run_uuid, key, value FROM {table} WHERE run_uuid IN ({marks}){condition}"
        for run_id, key, value in connection.execute(query, [*batch, *(keys or ())]):
            pairs[run_id][key] = value
    return pairs


def _to_record(row: sqlite3.Row, params: dict[str, Any], metrics: dict[str, Any], tags: dict[str, Any]) -> Record:
    run_id = str(row["run_uuid"])
    return make_record(
        run_id=run_id,
        name=str(row["name"] or ""),
        status=str(row["status"]),
        start=int(row["start_time"] or 0),
        end=row["end_time"],
        experiment=str(row["experiment"]),
        artifact_uri=str(row["artifact_uri"]),
        params=params.get(run_id, {}),
        metrics=metrics.get(run_id, {}),
        tags=tags.get(run_id, {}),
    )

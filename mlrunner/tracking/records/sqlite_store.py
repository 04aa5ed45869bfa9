"""Read MLflow's SQLite store without MLflow, which takes seconds to import."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlrunner.core.errors import StoreError
from mlrunner.tracking.records import (
    SWEEP,
    TRIAL,
    WINNER_OF,
    Only,
    Record,
    Store,
    filter_grammar,
    filter_sql,
    labels_of,
)

PATIENCE = 30.0  # seconds that a reader waits for a writer
MANY = 500  # ids a query; SQLite takes so many parameters and more
COLUMNS = {
    "runs": {
        "run_uuid",
        "name",
        "status",
        "start_time",
        "end_time",
        "lifecycle_stage",
        "artifact_uri",
        "experiment_id",
    },
    "experiments": {"experiment_id", "name", "lifecycle_stage"},
    "params": {"key", "value", "run_uuid"},
    "latest_metrics": {"key", "value", "is_nan", "run_uuid"},
    "tags": {"key", "value", "run_uuid"},
    "registered_model_aliases": {"alias", "version", "name"},
    "model_versions": {"name", "version", "run_id"},
}
FROM = (
    "FROM runs JOIN experiments e USING (experiment_id) "
    "WHERE runs.lifecycle_stage = 'active' AND e.lifecycle_stage = 'active'"
)

TAGGED = "EXISTS (SELECT 1 FROM tags t WHERE t.run_uuid = runs.run_uuid AND t.key = '{}')"
PARENT = f"{TAGGED.format(SWEEP)} AND NOT {TAGGED.format(TRIAL)}"


@contextmanager
def connected(file: Path) -> Iterator[sqlite3.Connection]:
    """Open a database for reading.

    Raises:
        StoreError: When it cannot be read.
    """
    try:
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=PATIENCE)
        try:
            connection.execute("PRAGMA case_sensitive_like = true")  # as MLflow has it
            yield connection
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StoreError(
            f"MLflow's store {file} cannot be read: {error}; see MLFLOW_TRACKING_URI and stack.*."
        ) from error


def can_read(file: Path) -> bool:
    """Tell whether the database has the tables that this module knows; another version of MLflow may have others."""
    with connected(file) as connection:
        for table, wanted in COLUMNS.items():
            if not wanted <= {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}:
                return False
    return True


class SqliteStore(Store):
    """MLflow's store in one file.

    Args:
        file: Need not be there: then there are no runs yet.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    def search(
        self,
        where: str = "",
        sort: Sequence[str] = (),
        limit: int | None = None,
        parents: bool = True,
        only: Only | None = None,
    ) -> list[Record]:
        """See `Store.search`."""
        wanted = [filter_sql.condition(clause) for clause in filter_grammar.parse(where)]
        order = filter_sql.order(filter_grammar.parse_order(sort))
        if not self.file.exists():
            return []
        told = "".join(f" AND {one.text}" for one in wanted) + ("" if parents else f" AND NOT ({PARENT})")
        values = [value for one in (*wanted, order) for value in one.values]
        text = f"SELECT runs.*, e.name AS experiment {FROM}{told} ORDER BY {order.text} LIMIT ?"
        with connected(self.file) as connection:
            connection.row_factory = sqlite3.Row
            rows = connection.execute(text, [*values, -1 if limit is None else limit]).fetchall()
            ids = [str(row["run_uuid"]) for row in rows]
            params, metrics, tags = (
                _pairs(connection, table, ids, None if only is None else names)
                for table, names in zip(("params", "latest_metrics", "tags"), only or Only(), strict=True)
            )
        return [_record(row, params, metrics, tags) for row in rows]

    def statuses(self, sweeps: Sequence[str]) -> dict[str, dict[str, int]]:
        """See `Store.statuses`."""
        found: dict[str, dict[str, int]] = {}
        if not self.file.exists():
            return found
        text = (
            "SELECT s.value, runs.status, count(*) FROM tags s JOIN runs ON runs.run_uuid = s.run_uuid "
            f"JOIN tags n ON n.run_uuid = s.run_uuid AND n.key = '{TRIAL}' "
            f"LEFT JOIN tags w ON w.run_uuid = s.run_uuid AND w.key = '{WINNER_OF}' "
            f"WHERE s.key = '{SWEEP}' AND w.key IS NULL AND runs.lifecycle_stage = 'active' "
            f"AND s.value IN ({', '.join('?' * len(sweeps))}) GROUP BY 1, 2"
        )
        with connected(self.file) as connection:
            for sweep, status, count in connection.execute(text, list(sweeps)):
                found.setdefault(sweep, {})[status] = count
        return found

    def labels(self, prefix: str, limit: int, sweeps: bool = False) -> list[str]:
        """See `Store.labels`."""
        if not self.file.exists():
            return []
        text = (
            "SELECT runs.run_uuid, runs.name, s.value, n.value FROM runs "
            "JOIN experiments e USING (experiment_id) "
            f"LEFT JOIN tags s ON s.run_uuid = runs.run_uuid AND s.key = '{SWEEP}' "
            f"LEFT JOIN tags n ON n.run_uuid = runs.run_uuid AND n.key = '{TRIAL}' "
            "WHERE runs.lifecycle_stage = 'active' AND e.lifecycle_stage = 'active' ORDER BY runs.start_time DESC"
        )
        with connected(self.file) as connection:
            return labels_of(connection.execute(text), prefix, limit, sweeps)

    def aliases(self) -> list[tuple[str, str, int, str]]:
        """See `Store.aliases`."""
        if not self.file.exists():
            return []
        text = (
            "SELECT a.name, a.alias, a.version, v.run_id FROM registered_model_aliases a JOIN model_versions v "
            "ON v.name = a.name AND v.version = a.version ORDER BY a.name, a.alias"
        )
        with connected(self.file) as connection:
            return [
                (str(name), str(alias), int(number), str(run_id))
                for name, alias, number, run_id in connection.execute(text)
            ]


def _pairs(
    connection: sqlite3.Connection, table: str, ids: list[str], keys: tuple[str, ...] | None
) -> dict[str, dict[str, Any]]:
    """Read the pairs of some runs; of `keys` only, where it is not None."""
    found: dict[str, dict[str, Any]] = {run_id: {} for run_id in ids}
    told = "" if keys is None else f" AND key IN ({', '.join('?' * len(keys))})"
    told += " AND NOT is_nan" if table == "latest_metrics" else ""
    for start in range(0, len(ids) if keys != () else 0, MANY):
        some = ids[start : start + MANY]
        text = f"SELECT run_uuid, key, value FROM {table} WHERE run_uuid IN ({', '.join('?' * len(some))}){told}"
        for run_id, key, value in connection.execute(text, [*some, *(keys or ())]):
            found[run_id][key] = value
    return found


def _record(row: sqlite3.Row, params: dict[str, Any], metrics: dict[str, Any], tags: dict[str, Any]) -> Record:
    run_id = str(row["run_uuid"])
    return Record(
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

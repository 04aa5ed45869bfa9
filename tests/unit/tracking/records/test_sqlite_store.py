"""MLflow's SQLite store, read without MLflow."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from pathlib import Path

import pytest

from mlrunner.core.errors import ConfigError, StoreError
from mlrunner.tracking.records import Fields
from mlrunner.tracking.records.sqlite_store import SqliteStore, can_read
from tests.support.run_stores import SearchableRuns

NOBODY = 65534  # a user who may not write where root may


def read_as_nobody(file: Path, answers: SimpleQueue[list[str]]) -> None:
    """Read the ids of the runs, in another process."""
    if os.getuid() == 0:
        os.setuid(NOBODY)
    answers.put([record.run_id for record in SqliteStore(file).search()])


def test_only_the_named_fields_are_read(runs: SearchableRuns) -> None:
    records = runs.ours.search(fields=Fields(metrics=("r2",)))
    assert [record.run_id for record in records] == [record.run_id for record in runs.ours.search()]
    assert all(not record.params and not record.tags and {*record.metrics} <= {"r2"} for record in records)
    assert any(record.metrics for record in records)


def test_missing_file_is_an_empty_store(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "mlflow.db")
    assert store.search("metrics.r2 > 1") == store.list_labels("", 5) == store.read_aliases() == []
    assert store.count_statuses(["day/one"]) == store.find_champions() == {}
    assert list(tmp_path.iterdir()) == []


def test_filter_is_checked_before_the_file_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        SqliteStore(tmp_path / "mlflow.db").search("what?")


def test_other_schemas_are_not_read(runs: SearchableRuns, tmp_path: Path) -> None:
    assert can_read(runs.ours.file)
    with sqlite3.connect(tmp_path / "other.db") as database:
        database.execute("CREATE TABLE runs (run_uuid TEXT)")
    database.close()
    assert not can_read(tmp_path / "other.db")


def test_database_with_a_log_is_read_in_a_folder_that_cannot_be_written(runs: SearchableRuns) -> None:
    with tempfile.TemporaryDirectory() as folder:  # that another user may enter, unlike `tmp_path`
        file = Path(folder) / "mlflow.db"
        shutil.copy(runs.ours.file, file)
        with closing(sqlite3.connect(file)) as database:
            assert database.execute("PRAGMA journal_mode=WAL").fetchone() == ("wal",)
        file.chmod(0o444)
        Path(folder).chmod(0o555)
        fork = get_context("fork")
        answers = fork.SimpleQueue()
        reader = fork.Process(target=read_as_nobody, args=(file, answers))
        reader.start()
        reader.join()
        Path(folder).chmod(0o755)
    assert reader.exitcode == 0
    assert answers.get() == [record.run_id for record in runs.ours.search()]


def test_file_that_is_not_a_database(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("no database at all, but long enough to be looked at as one")
    with pytest.raises(StoreError, match="cannot be read: file is not a database; see MLFLOW_TRACKING_URI"):
        SqliteStore(tmp_path / "mlflow.db").search()

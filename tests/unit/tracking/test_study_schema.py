"""Versions of Optuna's tables."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Barrier, Thread
from uuid import uuid4

import pytest

from mlrunner.core.errors import StoreError
from mlrunner.tracking.study_schema import open_tables
from tests.support.sweeps import SERVICES

TOGETHER = 4


def set_version(file: Path, version: str) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = ?", [version])


def test_tables_of_an_older_optuna_are_upgraded(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    newest = open_tables(url).get_head_version()
    older = open_tables(url).get_all_versions()[1]
    set_version(tmp_path / "a.db", older)
    assert open_tables(url).get_current_version() == newest != older


def test_tables_of_a_newer_optuna_are_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    open_tables(url).engine.dispose()
    set_version(tmp_path / "a.db", "v9.9.9")
    with pytest.raises(StoreError, match=r"^a newer Optuna made its tables \(version v9\.9\.9\); install it$"):
        open_tables(url)


@pytest.mark.services
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_drivers_that_start_together_create_the_tables_of_a_server_once(kind: str) -> None:
    """Drivers of several machines share no lock file; without a lock in the database all but one fail."""
    database = SERVICES[kind](f"mlrunner_tables_{uuid4().hex[:8]}")
    address = next(database)
    start, errors = Barrier(TOGETHER), list[Exception]()

    def open_together() -> None:
        start.wait()
        try:
            open_tables(address).engine.dispose()
        except Exception as error:
            errors.append(error)

    threads = [Thread(target=open_together) for _ in range(TOGETHER)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        list(database)
    assert errors == []

"""Versions of Optuna's tables."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mlrunner.core.errors import StoreError
from mlrunner.tracking.study_schema import open_tables


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

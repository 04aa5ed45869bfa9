"""Which cache entries no run uses; ZenML's are in `tests/apps/test_prune.py`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from mlrunner.history.pruning.cache import DATABASE, CacheEntry, unused_entries
from tests.support.records import make_cache


def test_old_tables_are_unused(tmp_path: Path) -> None:
    folder = make_cache(tmp_path, 3, 2)
    assert unused_entries(tmp_path) == [CacheEntry(folder, 10)]


def test_young_table_may_still_be_written(tmp_path: Path) -> None:
    make_cache(tmp_path, 3, 0.1)
    assert unused_entries(tmp_path) == []


def test_database_of_another_version_is_ignored(tmp_path: Path) -> None:
    assert unused_entries(tmp_path) == []
    (tmp_path / DATABASE).parent.mkdir(parents=True)
    sqlite3.connect(tmp_path / DATABASE).close()
    assert unused_entries(tmp_path) == []

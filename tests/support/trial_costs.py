"""Count what costs a command time or space, whatever the machine: disk flushes, YAML texts and SQL statements.

This process counts, and the background writer that it forks.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine, event

FORK = get_context("fork")
PROGRAM = """
import sys
from tests.support.trial_costs import count_costs
from mlrunner.__main__ import main
if __name__ == "__main__":  # workers import this file
    costs = count_costs()
    code = main()
    costs.save({report!r})
    sys.exit(code)
"""


class Costs:
    """Counts of this process and its forks."""

    def __init__(self) -> None:
        self._counts = {name: FORK.Value("q", 0) for name in ("fsync", "yaml", "sql")}

    def add(self, name: str) -> None:
        """Count one more."""
        with self._counts[name].get_lock():
            self._counts[name].value += 1

    def save(self, report: str) -> None:
        """Write the counts as JSON."""
        Path(report).write_text(json.dumps({name: count.value for name, count in self._counts.items()}))


def count_costs() -> Costs:
    """Count from now on."""
    costs, flush, dump = Costs(), os.fsync, yaml.dump_all

    def count_flush(file: Any) -> None:
        costs.add("fsync")
        flush(file)

    def count_dump(*arguments: Any, **options: Any) -> Any:
        costs.add("yaml")
        return dump(*arguments, **options)

    def count_statement(*_: Any) -> None:
        costs.add("sql")

    os.fsync, yaml.dump_all = count_flush, count_dump
    event.listen(Engine, "before_cursor_execute", count_statement)
    return costs


def measure_bytes(folder: Path) -> int:
    """Measure files by their sizes, and databases by their pages: a write-ahead log is as long as it once was."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    others = sum(file.stat().st_size for file in files if not file.name.endswith((".db", ".db-wal", ".db-shm")))
    return others + sum(_count_pages(file) for file in files if file.suffix == ".db")


def _count_pages(file: Path) -> int:
    with closing(sqlite3.connect(file)) as database:
        (count,), (size,) = (database.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
    return int(count) * int(size)

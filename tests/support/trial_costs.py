"""Count what costs a command time or space, whatever the machine: disk flushes, YAML texts and SQL statements.

Only this process counts, so a search that saves neither models nor plots, whose background writer is a thread.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine, event

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
    """Counts of one process."""

    def __init__(self) -> None:
        self.counts = Counter[str]()

    def save(self, report: str) -> None:
        """Write the counts as JSON."""
        Path(report).write_text(json.dumps(self.counts))


def count_costs() -> Costs:
    """Count from now on in this process."""
    costs, flush, dump, pid = Costs(), os.fsync, yaml.dump_all, os.getpid()

    def count_flush(file: Any) -> None:
        costs.counts["fsync"] += os.getpid() == pid
        flush(file)

    def count_dump(*arguments: Any, **options: Any) -> Any:
        costs.counts["yaml"] += os.getpid() == pid
        return dump(*arguments, **options)

    def count_statement(*_: Any) -> None:
        costs.counts["sql"] += os.getpid() == pid

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

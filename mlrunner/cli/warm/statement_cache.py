"""Compile an SQL statement once a process, not once an engine: each home has engines of its own.

Both names are SQLAlchemy's public ones: a registered dialect, and the execution option `compiled_cache`.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

SIZE = 3000  # statements; one run has some 200 of ZenML's and MLflow's
STATEMENTS: LRUCache[Any, Any] = LRUCache(SIZE)  # compiled, by dialect and statement
ENGINES: WeakSet[Engine] = WeakSet()


class SharedDialect(SQLiteDialect_pysqlite):
    """SQLite through Python's driver; two dialects with the same options are equal, so that they share statements.

    Args:
        **options: Arguments of `sqlalchemy.create_engine` for the dialect.
    """

    supports_statement_cache = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._options = repr(sorted(options.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SharedDialect) and self._options == other._options

    def __hash__(self) -> int:
        return hash(self._options)

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        """Let an engine keep its compiled statements with those of the others."""
        engine.update_execution_options(compiled_cache=STATEMENTS)
        ENGINES.add(engine)


def share_statements() -> None:
    """Use the dialect for the engines of SQLite that this process and its forks make from now on."""
    for name in ("sqlite", "sqlite.pysqlite"):
        registry.register(name, __name__, SharedDialect.__name__)


def close_connections() -> None:
    """Close the connections of all engines: a fork must not use those of its parent."""
    for engine in list(ENGINES):
        engine.dispose()

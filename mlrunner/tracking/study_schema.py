"""Open Optuna's tables: a SQLite file of an older Optuna is upgraded, other tables of another version are refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from optuna.storages import RDBStorage
from sqlalchemy import NullPool, create_engine, make_url, text

from mlrunner.core.errors import StoreError

ENGINE = {"pool_pre_ping": True}
LOCKS = {
    "postgresql": "SELECT pg_advisory_lock(7073825)",  # any number of our own
    "mysql": "SELECT GET_LOCK('mlrunner tables', 60)",
}  # by dialect; each lock ends with its connection


def open_tables(address: str) -> RDBStorage:
    """Open the tables of a database, and create them when they are absent.

    Args:
        address: SQLAlchemy's URL.

    Raises:
        StoreError: When a newer Optuna made the tables, or an older one those of a server, which others may use.
    """
    with _tables_locked(address):
        storage = RDBStorage(address, engine_kwargs=ENGINE, skip_compatibility_check=True)
    version = storage.get_current_version()
    if version == storage.get_head_version():
        return storage
    if version not in storage.get_all_versions():
        raise StoreError(f"a newer Optuna made its tables (version {version}); install it")
    if storage.engine.dialect.name != "sqlite":
        raise StoreError("an older Optuna made its tables; upgrade them with `optuna storage upgrade --storage URL`")
    storage.upgrade()
    return storage


@contextmanager
def _tables_locked(address: str) -> Iterator[None]:
    """Keep drivers on other machines from creating the same tables of a server; the database keeps the lock."""
    statement = LOCKS.get(make_url(address).get_backend_name())
    if statement is None:
        yield
        return
    try:
        engine = create_engine(address, poolclass=NullPool)
    except ImportError:  # a missing driver, which Optuna explains
        yield
        return
    with engine.connect() as connection:
        connection.execute(text(statement))
        yield

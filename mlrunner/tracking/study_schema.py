"""Open Optuna's tables: a SQLite file of an older Optuna is upgraded, other tables of another version are refused."""

from __future__ import annotations

from optuna.storages import RDBStorage

from mlrunner.core.errors import StoreError

ENGINE = {"pool_pre_ping": True}


def open_tables(address: str) -> RDBStorage:
    """Open the tables of a database, and create them when they are absent.

    Args:
        address: SQLAlchemy's URL.

    Raises:
        StoreError: When a newer Optuna made the tables, or an older one those of a server, which others may use.
    """
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

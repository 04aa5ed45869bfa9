"""TODO."""

from __future__ import annotations

import os
import time
import warnings
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import optuna
import psutil
from filelock import FileLock
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from optuna.exceptions import ExperimentalWarning
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalRedisBackend
from sqlalchemy.exc import ArgumentError

from mlrunner.core.errors import ConfigError, StoreError
from mlrunner.core.redaction import redact
from mlrunner.tracking.records import journal_of

REDIS = ("redis://", "rediss://", "unix://")


JOURNALS = (".journal", ".log")


WRONG = (ImportError, ValueError, TypeError, ArgumentError, InstantiationException)  # what the user can correct


def open_storage(told: str | dict[str, Any] | None, home: Path, name: str) -> BaseStorage:
    """Open where a study is kept.

    Args:
        told: `hydra.sweeper.storage`: None, a URL, a journal file, or a `_target_` with its arguments.
        home: The folder that holds `.mlrunner/`.
        name: Of the study.

    Raises:
        ConfigError: When there is no such storage, or its driver is not installed.
        StoreError: When it does not open.
    """
    try:
        if isinstance(told, dict):
            built: BaseStorage = instantiate(told)
            return built
        return _open(told, home, name)
    except Exception as error:  # each database, and each driver that is not there, has errors of its own
        kind = ConfigError if isinstance(error, WRONG) else StoreError
        raise kind(
            f"{KEY}.storage={redact(str(told))} does not open: {redact(_line(error))}; correct it (sqlite:///file.db, "
            "postgresql+psycopg://, mysql+pymysql://, redis://, a file.journal), or leave it out."
        ) from error


def _open(told: str | None, home: Path, name: str) -> BaseStorage:
    if told is None or told.endswith(JOURNALS):
        path = journal_of(home, name) if told is None else Path(told)
        path.parent.mkdir(parents=True, exist_ok=True)
        return JournalStorage(JournalFileBackend(str(path)))
    if told.startswith(REDIS):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return JournalStorage(JournalRedisBackend(told))
    with FileLock(home / ".mlrunner" / "studies.lock"):  # two processes must not make the tables of one database
        return RDBStorage(told, engine_kwargs={"pool_pre_ping": True})


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def folder_of(name: str, home: Path) -> str | None:
    """Look up where a study of the default storage writes its trials."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        study = optuna.load_study(study_name=name, storage=_open(None, home, name))
    except KeyError:  # a file of this name, but no study in it
        return None
    found = study.user_attrs.get("folder")
    return None if found is None else str(found)


def guard(storage: BaseStorage) -> AbstractContextManager[Any]:
    """Take turns where a storage cannot: SQLite tells two processes at once that a trial is theirs."""
    inner = getattr(storage, "_backend", storage)  # Optuna puts a cache before a database
    if not isinstance(inner, RDBStorage) or inner.engine.dialect.name != "sqlite":
        return nullcontext()
    return FileLock(f"{inner.engine.url.database}.lock")


def owner() -> dict[str, Any]:
    """Describe this process, so that another can tell whether it is still there."""
    import socket
    import time

    import psutil

    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "born": psutil.Process().create_time(),
        "seen": time.time(),
    }


SESSION = "session"


BEAT, LOST = 30.0, 120.0  # seconds between signs of life, and after which a process on another machine counts as dead


def alive(told: dict[str, Any] | None) -> bool:
    """Tell whether the process of a session is there: looked up on this machine, by its signs of life on others."""
    if told is None:
        return False
    if told["host"] != owner()["host"]:
        return bool(time.time() - told["seen"] < LOST)
    try:
        process = psutil.Process(told["pid"])
        is_there = process.status() != psutil.STATUS_ZOMBIE
        return bool(is_there and abs(process.create_time() - told["born"]) < 1)
    except psutil.Error:
        return False


KEY = "hydra.sweeper"

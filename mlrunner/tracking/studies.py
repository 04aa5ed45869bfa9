"""Open the storage of an Optuna study, and record which processes work on a study."""

from __future__ import annotations

import os
import time
import warnings
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import optuna
from filelock import FileLock
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from optuna.exceptions import ExperimentalWarning
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalRedisBackend
from sqlalchemy.exc import ArgumentError

from mlrunner.core.errors import ConfigError, StoreError, first_line
from mlrunner.core.machine import identify_machine
from mlrunner.core.process_control import is_same_process, start_time
from mlrunner.core.redaction import redact
from mlrunner.tracking.optuna_private import cache_trials
from mlrunner.tracking.patient_storage import PatientStorage
from mlrunner.tracking.records import journal_path
from mlrunner.tracking.study_schema import open_tables

SWEEPER_KEY = "hydra.sweeper"
SESSION = "session"  # attribute of a trial: the session that runs it; of a study: prefix of its sessions
HEARTBEAT_SECONDS = 30.0
LOST_AFTER = 4  # heartbeats that a dead process of another machine has missed
DAY = 24 * 3600.0  # seconds, by which the clocks of two machines never differ
REDIS_SCHEMES = ("redis://", "rediss://", "unix://")
JOURNAL_SUFFIXES = (".journal", ".log")
USER_ERRORS = (ImportError, ValueError, TypeError, ArgumentError, InstantiationException)  # what the user can correct


def open_storage(address: str | dict[str, Any] | None, home: Path | None, name: str) -> BaseStorage:
    """Open the storage of a study.

    Args:
        address: `hydra.sweeper.storage`: a URL, a journal file, or a `_target_` with its arguments; None opens the
            study's own journal below `home`.
        home: Folder that holds `.mlrunner/`; None outside of mlrunner, where the study is in memory without an address.
        name: Name of the study.

    Raises:
        ConfigError: When there is no such storage, or its driver is not installed.
        StoreError: When the storage does not answer.
    """
    try:
        if isinstance(address, dict):
            storage: BaseStorage = instantiate(address)
            return storage
        return _open(address, home, name)
    except Exception as error:  # each database and each missing driver raises errors of its own
        kind = ConfigError if isinstance(error, USER_ERRORS) else StoreError
        raise kind(
            f"{SWEEPER_KEY}.storage={redact(str(address))} does not open: {redact(first_line(error))}; correct it "
            "(sqlite:///file.db, postgresql+psycopg://, mysql+pymysql://, redis://, a file.journal), or leave it out."
        ) from error


def _open(address: str | None, home: Path | None, name: str) -> BaseStorage:
    if address is None:
        if home is None:
            return InMemoryStorage()
        address = str(journal_path(home, name))
    if address.endswith(JOURNAL_SUFFIXES):
        path = Path(address)
        path.parent.mkdir(parents=True, exist_ok=True)
        return JournalStorage(JournalFileBackend(str(path)))
    if address.startswith(REDIS_SCHEMES):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return PatientStorage(JournalStorage(JournalRedisBackend(address)), redact(address))
    # Two processes must not create the tables at the same time.
    with nullcontext() if home is None else FileLock(home / ".mlrunner" / "studies.lock"):
        storage = open_tables(address)
    if storage.engine.dialect.name == "sqlite":  # a file does not restart
        return storage
    return PatientStorage(cache_trials(storage), redact(address))


def read_study_folder(name: str, home: Path) -> str | None:
    """Read the sweep folder of a study in the default storage; None where there is no such study."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        study = optuna.load_study(study_name=name, storage=_open(None, home, name))
    except KeyError:  # the journal exists, but holds no study
        return None
    folder = study.user_attrs.get("folder")
    return None if folder is None else str(folder)


def lock_storage(storage: BaseStorage) -> AbstractContextManager[Any]:
    """Return a lock for changes of a trial's state; a real one for SQLite, which lets two processes make the same."""
    if not isinstance(storage, RDBStorage) or storage.engine.dialect.name != "sqlite":
        return nullcontext()
    return FileLock(f"{storage.engine.url.database}.lock")


def describe_process() -> dict[str, Any]:
    """Describe this process, so that another process can tell whether it is alive."""
    return {"machine": identify_machine(), "pid": os.getpid(), "born": start_time(), "seen": time.time()}


def list_live_sessions(attributes: dict[str, Any]) -> set[str]:
    """List the sessions of a study that may be alive, from its attributes: those that are not known to have ended."""
    return {name for name, process in read_sessions(attributes).items() if is_alive(process)}


def read_sessions(attributes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the results of `describe_process` by session, from the attributes of a study."""
    prefix = f"{SESSION}:"
    return {name.removeprefix(prefix): value for name, value in attributes.items() if name.startswith(prefix)}


def is_alive(process: dict[str, Any] | None, missed: float = 0) -> bool:
    """Check whether the process of a session is alive.

    A process of this machine is looked up; one of another machine or container counts as alive until it has missed
    `LOST_AFTER` heartbeats. No two clocks are compared, but for a whole day.

    Args:
        process: Result of `describe_process` in that process; None for an unknown session.
        missed: Number of heartbeats that the caller has waited for in vain.
    """
    if process is None or process.get("closed"):
        return False
    if process.get("machine") == identify_machine():
        return is_same_process(process["pid"], process["born"])
    return time.time() - process["seen"] < DAY and missed < LOST_AFTER

"""The Optuna study of a sweep: where it is stored, and whether it is still the same search."""

from __future__ import annotations

import os
import warnings
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
from filelock import FileLock
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from optuna.exceptions import ExperimentalWarning
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalRedisBackend
from sqlalchemy.exc import ArgumentError

from mlrunner.errors import ConfigError, ProblemsError, StoreError
from mlrunner.records import journal_of
from mlrunner.redaction import redact
from mlrunner.sweep.settings import KEY, Direction, SweepSettings

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

META = "mlrunner"
HARMLESS = ("output=", "tracking.", "threads=", "stack", "sweep=", "gate", "deployer")
REDIS = ("redis://", "rediss://", "unix://")
JOURNALS = (".journal", ".log")
HUGE = 2**31 - 1
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


def open_study(storage: BaseStorage, name: str, directions: list[Direction], settings: SweepSettings) -> optuna.Study:
    """Find a study by its name, or begin it.

    Raises:
        ConfigError: When a study of this name has other directions.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=ExperimentalWarning)
    try:
        study = optuna.create_study(
            study_name=name, storage=storage, directions=directions, load_if_exists=True, pruner=pruner(settings)
        )
    except ValueError as error:
        raise ConfigError(f"{KEY}.study_name={name} cannot be continued ({error}); choose another name.") from error
    if [one.name.lower() for one in study.directions] != directions:
        told = ", ".join(one.name.lower() for one in study.directions)
        raise ConfigError(
            f"{KEY}.study_name={name} searched with direction {told}, and not {', '.join(directions)}; choose another "
            "name, or the direction that it has."
        )
    return study


def folder_of(name: str, home: Path) -> str | None:
    """Look up where a study of the default storage writes its trials."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        study = optuna.load_study(study_name=name, storage=_open(None, home, name))
    except KeyError:  # a file of this name, but no study in it
        return None
    found = study.user_attrs.get("folder")
    return None if found is None else str(found)


def pruner(settings: SweepSettings) -> Any:
    """Build the pruner."""
    return _built(settings.pruner, f"{KEY}.pruner")


def sampler(settings: SweepSettings, seed: int, number: int) -> BaseSampler:
    """Build the sampler of one trial.

    Each trial has a sampler of its own, seeded by its number: a search that was interrupted and resumed draws what it
    would have drawn, and two processes on one study draw differently.

    Args:
        settings: Of the sweep.
        seed: Of the sweep, where the sampler has none.
        number: Of the trial.
    """
    own = settings.sampler.get("seed")
    first = seed if own is None else own
    together = str(settings.sampler["_target_"]).endswith("QMCSampler")  # its points are spread over all trials
    derived = first % HUGE if together else (first * 1_000_003 + number) % HUGE
    told = {**settings.sampler, "seed": derived}
    told = {key: value for key, value in told.items() if value is not None}  # what the field calls null is a default
    found: BaseSampler = _built(told, f"{KEY}.sampler")
    return found


def _built(told: dict[str, Any], key: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return instantiate({name: value for name, value in told.items() if name != "_partial_"})
    except Exception as error:
        cause = error.__cause__ or error
        raise ConfigError(f"{key} is refused by Optuna ({_line(Exception(str(cause)))}); see its documentation.") from (
            error
        )


def changes(study: optuna.Study, described: dict[str, Any]) -> list[str]:
    """Say in what a search differs from the one that the study was begun for, a sentence each.

    Args:
        study: That was found.
        described: The search of today, as plain values.
    """
    before = study.user_attrs.get(META)
    if before is None:
        return []
    told: list[str] = []
    for name in ("data", "metric", "repeats"):
        if before.get(name) != described[name]:
            told.append(f"{name} was {_short(before.get(name))} and is {_short(described[name])}")
    old, new = before["space"]["dimensions"], described["space"]["dimensions"]
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            told.append(f"{name} was {_range(old.get(name))} and is {_range(new.get(name))}")
    fixed, now = _told(before), _told(described)
    told += [f"{text} is gone" for text in sorted(fixed - now)] + [f"{text} is new" for text in sorted(now - fixed)]
    return told


def _told(described: dict[str, Any]) -> set[str]:
    """Take the fixed overrides that may change a result."""
    return {text for text in described["space"]["fixed"] if not text.startswith(HARMLESS)}


def refuse_changes(study: optuna.Study, described: dict[str, Any], allowed: bool) -> None:
    """Refuse to continue a study as another search.

    Raises:
        ProblemsError: With a sentence for each difference.
    """
    found = changes(study, described)
    if found and not allowed:
        hint = f"choose another {KEY}.study_name, or accept it with {KEY}.allow_changes=true."
        raise ProblemsError([f"study {study.study_name}: {one}; {hint}" for one in found])


def _short(value: Any) -> str:
    return ", ".join(f"{key} {text}" for key, text in value.items()) if isinstance(value, dict) else str(value)


def _range(told: str | None) -> str:
    if told is None:
        return "not searched"
    found = optuna.distributions.json_to_distribution(told)
    return str(found).replace("Distribution", "")


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

"""Studies and trial queues, in storages of every kind and in several processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import uuid4

import optuna
import pytest
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from optuna.storages.journal import JournalRedisBackend
from optuna.trial import FrozenTrial, Trial, TrialState

from mlrunner.search import study_setup
from mlrunner.search.settings import SweepSettings
from mlrunner.search.trial_attributes import OVERRIDES
from mlrunner.search.trial_queue import TrialQueue
from mlrunner.search.worker_process import SERVER
from mlrunner.tracking import studies
from tests.support.trials import preload

TIMEOUT = 60  # seconds, on a busy machine
NumberAndParams = tuple[int, dict[str, Any]]


def build_settings(**changes: Any) -> SweepSettings:
    """The sweeper's defaults, or others."""
    defaults: dict[str, Any] = {
        **dict.fromkeys(["direction", "storage", "study_name", "custom_search_space"]),
        **dict.fromkeys(["timeout", "patience", "target", "warm_start"]),
        **dict.fromkeys(["fail_fast", "dry_run", "allow_changes"], False),
        "sampler": {"_target_": "optuna.samplers.RandomSampler", "seed": None},
        "pruner": {"_target_": "optuna.pruners.NopPruner"},
        "first": "defaults",
        "n_trials": 20,
        "n_jobs": 2,
        "max_failure_rate": 0.5,
        "params": {},
        "repeats": 1,
        "retries": 0,
        "exclude": [],
        "refit": True,
    }
    return SweepSettings(**{**defaults, **changes})


STORAGES: dict[int, tuple[optuna.Study, BaseStorage]] = {}  # of the studies that are open, by the study's id
QUEUES: list[TrialQueue] = []


def open_study_in(storage: BaseStorage, name: str, *directions: Any, **changes: Any) -> optuna.Study:
    """Open a study in a storage; it maximizes unless the directions say otherwise."""
    study = study_setup.open_study(storage, name, list(directions) or ["maximize"], build_settings(**changes))
    STORAGES[id(study)] = (study, storage)
    return study


def open_study(address: str | None, home: Path, name: str, **changes: Any) -> optuna.Study:
    """Open a study through a storage of its own, as another process does."""
    return open_study_in(studies.open_storage(address, home, name), name, **changes)


def open_memory_study(*directions: Any, **changes: Any) -> optuna.Study:
    """Open a study of this process alone."""
    return open_study_in(InMemoryStorage(), "memory", *directions, **changes)


def close_all() -> None:
    """Close the queues, and the connections that a process keeps to its end."""
    while QUEUES:
        QUEUES.pop().close()
    for _, storage in STORAGES.values():
        inner = getattr(storage, "storage", storage)  # of a server
        backend = getattr(inner, "_backend", inner)
        if isinstance(backend, RDBStorage):
            backend.engine.dispose()
        elif isinstance(backend, JournalRedisBackend):
            backend._redis.close()
    STORAGES.clear()


def start_queue(
    study: optuna.Study, limit: int, build_sampler: Callable[[int], Any] | None = None, **options: Any
) -> TrialQueue:
    """Start a session that the end of the test closes."""
    settings = build_settings()
    build = build_sampler or (lambda number: study_setup.build_sampler(settings, 0, number))
    QUEUES.append(TrialQueue(study, STORAGES[id(study)][1], limit, build, **options))
    return QUEUES[-1]


def suggest(trial: Trial) -> bool:
    """Suggest one number."""
    trial.suggest_float("x", 0, 1)
    trial.set_user_attr(OVERRIDES, [f"x={trial.params['x']}"])
    return True


def finish_all(
    queue: TrialQueue, study: optuna.Study, accept: Callable[[Trial], bool] = suggest
) -> list[NumberAndParams]:
    """Take and finish trials until none is left."""
    taken = []
    while (trial := queue.take(accept)) is not None:
        taken.append((trial.number, dict(trial.params)))
        study.tell(trial, 0.5)
    return taken


def list_complete(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(states=(TrialState.COMPLETE,))


def list_waiting(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(states=(TrialState.WAITING,))


def connect_or_skip(name: str, connect: Callable[[], Any]) -> Any:
    """Connect to a service of this machine; skip the test where it does not run."""
    try:
        return connect()
    except Exception as error:
        pytest.skip(f"{name} does not answer on loopback ({type(error).__name__})")


def create_postgresql(database: str) -> Iterator[str]:
    psycopg = pytest.importorskip("psycopg")
    server = connect_or_skip("PostgreSQL", lambda: psycopg.connect("host=127.0.0.1 user=postgres", autocommit=True))
    with server:
        server.execute(f"CREATE DATABASE {database}")
        try:
            yield f"postgresql+psycopg://postgres@127.0.0.1/{database}"
        finally:
            server.execute(f"DROP DATABASE {database} WITH (FORCE)")


def create_mariadb(database: str) -> Iterator[str]:
    pymysql = pytest.importorskip("pymysql")
    server = connect_or_skip("MariaDB", lambda: pymysql.connect(host="127.0.0.1", user="root"))
    with server, server.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {database}")
        try:
            yield f"mysql+pymysql://root@127.0.0.1/{database}"
        finally:
            cursor.execute(f"DROP DATABASE {database}")


def create_redis(database: str) -> Iterator[str]:
    """Take one of Redis's numbered databases that is empty."""
    del database
    client = pytest.importorskip("redis").Redis(host="127.0.0.1")
    used = connect_or_skip("Redis", lambda: client.info("keyspace"))
    number = next((number for number in range(11, 16) if f"db{number}" not in used), None)
    if number is None:
        pytest.skip("databases 11 to 15 of Redis are in use")
    client.select(number)
    client.set("mlrunner:tests", "taken")
    yield f"redis://127.0.0.1:6379/{number}"
    client.flushdb()
    client.close()


SERVICES = {"postgresql": create_postgresql, "mariadb": create_mariadb, "redis": create_redis}


def create_database(kind: str) -> Iterator[str]:
    """Create an empty database of a service, and drop it afterwards."""
    return SERVICES[kind](f"mlrunner_tests_{uuid4().hex[:8]}")


def run_together(count: int, function: Callable[[int], Any]) -> list[Any]:
    """Call a function in several threads at the same time."""
    barrier = Barrier(count)

    def call(index: int) -> Any:
        barrier.wait(TIMEOUT)
        return function(index)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


def start_process(target: Callable[..., None], *arguments: Any) -> tuple[Any, Connection]:
    """Start a process that gets the arguments and a pipe."""
    preload()
    ours, theirs = SERVER.Pipe()
    process = SERVER.Process(target=target, args=(*arguments, theirs), daemon=True)
    process.start()
    theirs.close()
    return process, ours

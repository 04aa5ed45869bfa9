"""Small Optuna studies to plot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import IntDistribution
from optuna.storages import RDBStorage
from optuna.storages.journal import JournalRedisBackend
from optuna.trial import Trial, TrialState, create_trial

from mlrunner.search import study_setup
from mlrunner.search.settings import SweepSettings
from mlrunner.search.trial_queue import TrialQueue
from mlrunner.search.workers import CONTEXT
from mlrunner.tracking import studies
from tests.support.trials import preloaded

Objective = Callable[[optuna.Trial], Any]


def run_study(objective: Objective, trials: int, direction: Any = "minimize", **settings: Any) -> optuna.Study:
    """Run a random search."""
    directions = direction if isinstance(direction, list) else [direction]
    settings = {"sampler": optuna.samplers.RandomSampler(seed=0)} | settings
    study = optuna.create_study(study_name="olist", directions=directions, **settings)
    study.optimize(objective, trials, catch=(RuntimeError,))
    return study


def make_study(values: list[float], direction: Any = "minimize") -> optuna.Study:
    """Make a study of these values with one parameter."""
    study = optuna.create_study(study_name="given", direction=direction)
    for k, value in enumerate(values):
        study.add_trial(create_trial(value=value, params={"x": k}, distributions={"x": IntDistribution(0, 2000)}))
    return study


def compute_square(trial: optuna.Trial) -> float:
    """Compute an objective of a float and an integer parameter."""
    return float((trial.suggest_float("a.x", -1, 1) - 0.3) ** 2 + 0.01 * trial.suggest_int("a.n", 1, 9))


def search_two_models(trial: optuna.Trial) -> float:
    """Search two models with parameters of their own; of six trials the fifth is pruned and the last fails."""
    model = trial.suggest_categorical("model", ["xgboost", "rf"])
    score = 0.1 * trial.suggest_int("cleaning.window", 1, 9)
    if model == "xgboost":
        rate = trial.suggest_float("xgboost:model.estimator.learning_rate", 1e-3, 1, log=True)
        score += abs(np.log10(rate) + 1) + 0.01 * trial.suggest_int("xgboost:model.estimator.max_depth", 3, 9)
    else:
        score += 3 / trial.suggest_int("rf:model.estimator.max_depth", 2, 20)
        score += 0.1 * (trial.suggest_categorical("rf:model.estimator.max_features", ["sqrt", None]) is None)
    trial.report(score + 1, 0)
    trial.report(score + 0.5, 1)
    if trial.number % 6 == 5:
        raise RuntimeError
    if trial.number % 6 == 4:
        raise optuna.TrialPruned
    return float(score)


def compute_two_objectives(trial: optuna.Trial) -> tuple[float, float]:
    """Compute two objectives of which no trial is best in both."""
    x, n = trial.suggest_float("x", 0, 1), trial.suggest_int("n", 1, 9)
    return x**2 + 0.01 * n, (x - 1) ** 2


PATIENCE = 60  # seconds, on a busy machine


Taken = tuple[int, dict[str, Any]]  # number and parameters of a trial


def told(**changed: Any) -> SweepSettings:
    """The sweeper's defaults, or others."""
    defaults: dict[str, Any] = {
        **dict.fromkeys(["direction", "storage", "study_name", "custom_search_space"]),
        **dict.fromkeys(["timeout", "patience", "target", "warm_start"]),
        **dict.fromkeys(["fail_fast", "dry_run", "allow_changes"], False),
        "sampler": {"_target_": "optuna.samplers.RandomSampler", "seed": None},
        "pruner": {"_target_": "optuna.pruners.NopPruner"},
        "n_trials": 20,
        "n_jobs": 2,
        "max_failure_rate": 0.5,
        "params": {},
        "repeats": 1,
        "retries": 0,
        "exclude": [],
        "refit": True,
    }
    return SweepSettings(**{**defaults, **changed})


def opened(address: str | None, home: Path, name: str, **changed: Any) -> optuna.Study:
    """A study, through a storage of its own as another process has it."""
    OPEN.append(studies.open_storage(address, home, name))
    return study_setup.open_study(OPEN[-1], name, ["maximize"], told(**changed))


OPEN: list[Any] = []


BEGUN: list[TrialQueue] = []


def let_go() -> None:
    """End the sessions and close the connections that a process keeps to its end."""
    while BEGUN:
        BEGUN.pop().close()
    while OPEN:
        storage = OPEN.pop()
        if isinstance(storage, RDBStorage):
            storage.engine.dispose()
        elif isinstance(storage._backend, JournalRedisBackend):
            storage._backend._redis.close()


def claiming(study: optuna.Study, limit: int, **changed: Any) -> TrialQueue:
    settings = told(**changed)
    return session_of(study, limit, lambda number: study_setup.build_sampler(settings, 0, number))


def session_of(study: optuna.Study, limit: int, sampler: Callable[[int], Any]) -> TrialQueue:
    """Begin a session that the end of the test ends."""
    BEGUN.append(TrialQueue(study, limit, sampler))
    return BEGUN[-1]


def choose(trial: Trial) -> bool:
    trial.suggest_float("x", 0, 1)
    return True


def work(taking: TrialQueue, study: optuna.Study, accept: Callable[[Trial], bool] = choose) -> list[Taken]:
    """Take and finish trials until there are none."""
    taken = []
    while (trial := taking.take(accept)) is not None:
        taken.append((trial.number, dict(trial.params)))
        study.tell(trial, 0.5)
    return taken


def finished(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    return study.get_trials(states=(TrialState.COMPLETE,))


def waiting(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    return study.get_trials(states=(TrialState.WAITING,))


def needs(name: str, connect: Callable[[], Any]) -> Any:
    """Connect to a service of this machine; without it the test is skipped."""
    try:
        return connect()
    except Exception as error:
        pytest.skip(f"{name} does not answer on loopback ({type(error).__name__})")


def postgresql(database: str) -> Iterator[str]:
    psycopg = pytest.importorskip("psycopg")
    with needs("PostgreSQL", lambda: psycopg.connect("host=127.0.0.1 user=postgres", autocommit=True)) as server:
        server.execute(f"CREATE DATABASE {database}")
        try:
            yield f"postgresql+psycopg://postgres@127.0.0.1/{database}"
        finally:
            server.execute(f"DROP DATABASE {database} WITH (FORCE)")


def mariadb(database: str) -> Iterator[str]:
    pymysql = pytest.importorskip("pymysql")
    server = needs("MariaDB", lambda: pymysql.connect(host="127.0.0.1", user="root"))
    with server, server.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {database}")
        try:
            yield f"mysql+pymysql://root@127.0.0.1/{database}"
        finally:
            cursor.execute(f"DROP DATABASE {database}")


def redis(database: str) -> Iterator[str]:
    """One of Redis's numbered databases that nobody uses."""
    del database
    client = pytest.importorskip("redis").Redis(host="127.0.0.1")
    used = needs("Redis", lambda: client.info("keyspace"))
    number = next((number for number in range(11, 16) if f"db{number}" not in used), None)
    if number is None:
        pytest.skip("databases 11 to 15 of Redis are in use")
    client.select(number)
    client.set("mlrunner:tests", "taken")
    yield f"redis://127.0.0.1:6379/{number}"
    client.flushdb()
    client.close()


SERVICES = {"postgresql": postgresql, "mariadb": mariadb, "redis": redis}


def together(count: int, each: Callable[[int], Any]) -> list[Any]:
    """Do something in so many threads at the same time."""
    barrier = Barrier(count)

    def one(place: int) -> Any:
        barrier.wait(PATIENCE)
        return each(place)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def begin(target: Callable[..., None], *arguments: Any) -> tuple[Any, Connection]:
    preloaded()
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=target, args=(*arguments, theirs), daemon=True)
    process.start()
    theirs.close()
    return process, ours

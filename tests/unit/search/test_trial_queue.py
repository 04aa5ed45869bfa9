"""Which trial comes next: exactly so many whoever asks, what was interrupted once more, what lives left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Barrier, local
from typing import Any
from uuid import uuid4

import optuna
import psutil
import pytest
from optuna.storages import InMemoryStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalRedisBackend
from optuna.trial import Trial, TrialState

from mlrunner.core.errors import ConfigError
from mlrunner.search import study_setup, trial_queue
from mlrunner.search.settings import SweepSettings
from mlrunner.search.trial_queue import RETRY, VOID, Claims, counted, grid_place
from mlrunner.search.workers import CONTEXT
from mlrunner.tracking import studies
from mlrunner.tracking.records import journal_of
from mlrunner.tracking.studies import SESSION, alive
from tests.unit.search.test_workers import preloaded

pytestmark = pytest.mark.filterwarnings("ignore:JournalRedisBackend is experimental")
PATIENCE = 60  # seconds, on a busy machine
DEAD = 2**22 + 7  # no process has this number
Taken = tuple[int, dict[str, Any]]  # number and parameters of a trial


# What the tests of studies share


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
BEGUN: list[Claims] = []


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


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    let_go()


def claiming(study: optuna.Study, limit: int, **changed: Any) -> Claims:
    settings = told(**changed)
    return session_of(study, limit, lambda number: study_setup.sampler(settings, 0, number))


def session_of(study: optuna.Study, limit: int, sampler: Callable[[int], Any]) -> Claims:
    """Begin a session that the end of the test ends."""
    BEGUN.append(Claims(study, limit, sampler))
    return BEGUN[-1]


def choose(trial: Trial) -> bool:
    trial.suggest_float("x", 0, 1)
    return True


def work(taking: Claims, study: optuna.Study, accept: Callable[[Trial], bool] = choose) -> list[Taken]:
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
STORES = ["journal", "sqlite", *(pytest.param(name, marks=pytest.mark.services) for name in SERVICES)]


@pytest.fixture(scope="module", params=STORES)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str | None]:
    """The address of each kind of storage; a database of its own, dropped afterwards."""
    if request.param in SERVICES:
        yield from SERVICES[request.param](f"mlrunner_claims_{uuid4().hex[:8]}")
    else:
        folder = tmp_path_factory.mktemp("store")
        yield None if request.param == "journal" else f"sqlite:///{folder}/studies.db"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def name() -> str:
    return f"study-{uuid4().hex[:8]}"


@pytest.fixture
def study(home: Path, name: str) -> optuna.Study:
    return opened(None, home, name)


@pytest.fixture
def memory() -> optuna.Study:
    """A study of this process alone."""
    return study_setup.open_study(InMemoryStorage(), "memory", ["maximize"], told())


def together(count: int, each: Callable[[int], Any]) -> list[Any]:
    """Do something in so many threads at the same time."""
    barrier = Barrier(count)

    def one(place: int) -> Any:
        barrier.wait(PATIENCE)
        return each(place)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def another_session(study: optuna.Study, **changed: Any) -> str:
    """Record a session of a process that is gone."""
    study.set_user_attr(f"{SESSION}:gone", {**studies.owner(), "pid": DEAD, **changed})
    return "gone"


def orphan(study: optuna.Study, **params: float) -> int:
    """Leave a trial that a process ran which is gone."""
    taking = claiming(study, 10**6)
    trial = taking.take(lambda one: all(one.suggest_float(key, value, value) == value for key, value in params.items()))
    taking.close()
    assert trial is not None
    trial.set_user_attr(SESSION, another_session(study))
    return trial.number


# Other processes


def hold(address: str | None, home: Path, name: str, ends: int, holds: int, pipe: Connection) -> None:
    """Finish some trials, begin some more, and wait for death."""
    study = opened(address, home, name)
    taking = claiming(study, 10**6)
    for _ in range(ends):
        study.tell(taking.take(choose), 0.5)
    held = [taking.take(choose) for _ in range(holds)]
    pipe.send({one.number: one.params for one in held if one is not None})
    time.sleep(PATIENCE)


def race(address: str | None, home: Path, name: str, limit: int, pipe: Connection) -> None:
    """Work with others."""
    study = opened(address, home, name)
    taking = claiming(study, limit)
    pipe.recv()
    pipe.send((taking.session, work(taking, study)))


def begin(target: Callable[..., None], *arguments: Any) -> tuple[Any, Connection]:
    preloaded()
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=target, args=(*arguments, theirs), daemon=True)
    process.start()
    theirs.close()
    return process, ours


# Exactly so many


def assert_exact(taken: list[tuple[str, list[Taken]]], study: optuna.Study, limit: int) -> None:
    """So many trials in all, each taken once, each recorded as that of the session that took it."""
    numbers = [number for _, pairs in taken for number, _ in pairs]
    trials = study.get_trials()
    assert len(numbers) == len(set(numbers)) == limit
    assert counted(trials) == len(finished(study)) == limit
    assert {one.user_attrs[VOID] for one in trials if VOID in one.user_attrs} <= {"surplus"}


@pytest.mark.parametrize("threads", [2, 4])
def test_sessions_that_ask_at_once_take_exactly_so_many(threads: int, store: str | None, home: Path, name: str) -> None:
    opened(store, home, name)

    def session(place: int) -> tuple[str, list[Taken]]:
        del place
        mine = opened(store, home, name)
        taking = claiming(mine, 12)
        pairs = work(taking, mine)
        taking.close()
        return taking.session, pairs

    taken, study = together(threads, session), opened(store, home, name)
    assert_exact(taken, study, 12)
    for mine, pairs in taken:
        assert {study.get_trials()[number].user_attrs[SESSION] for number, _ in pairs} <= {mine}


def test_processes_that_ask_at_once_take_exactly_so_many(store: str | None, home: Path, name: str) -> None:
    opened(store, home, name)
    begun = [begin(race, store, home, name, 12) for _ in range(3)]
    for _, pipe in begun:
        pipe.send("now")
    taken = [pipe.recv() for _, pipe in begun]
    for process, _ in begun:
        process.join(PATIENCE)
    assert_exact(taken, opened(store, home, name), 12)


@pytest.mark.parametrize("kind", ["journal", *STORES[2:]])
def test_what_waits_is_taken_by_one_session(kind: str, home: Path, name: str) -> None:
    made = SERVICES[kind](f"mlrunner_waiting_{uuid4().hex[:8]}") if kind in SERVICES else iter([None])
    store = next(made)
    try:
        study = opened(store, home, name)
        for place in range(12):
            study.enqueue_trial({"x": place / 12})

        def session(place: int) -> tuple[str, list[Taken]]:
            del place
            mine = opened(store, home, name)
            taking = claiming(mine, 12)
            pairs = work(taking, mine)
            taking.close()
            return taking.session, pairs

        taken = together(4, session)
        assert_exact(taken, study, 12)
        assert sorted(params["x"] for _, pairs in taken for _, params in pairs) == [place / 12 for place in range(12)]
    finally:
        let_go()
        list(made)  # drops the database


class Meeting(RDBStorage):
    """SQLite's storage; two that change the state of a trial have both read it before one of them writes."""

    def __init__(self, url: str, barrier: Barrier) -> None:
        super().__init__(url)
        self.barrier, self.here = barrier, local()

    def check_trial_is_updatable(self, trial_id: int, trial_state: TrialState) -> None:
        super().check_trial_is_updatable(trial_id, trial_state)
        if getattr(self.here, "changes", False):
            with suppress(Exception):  # the other one may have found something else to do
                self.barrier.wait(2)

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Any = None) -> bool:
        self.here.changes = True
        try:
            return super().set_trial_state_values(trial_id, state, values)
        finally:
            self.here.changes = False


def meeting(home: Path, name: str, barrier: Barrier) -> optuna.Study:
    url = f"sqlite:///{home}/{name}.db"
    OPEN.append(Meeting(url, barrier))
    return study_setup.open_study(OPEN[-1], name, ["maximize"], told())


def test_what_waits_in_sqlite_is_taken_by_one_session(home: Path, name: str) -> None:
    opened(f"sqlite:///{home}/{name}.db", home, name).enqueue_trial({"x": 0.5})
    barrier = Barrier(2)

    def session(place: int) -> int | None:
        del place
        mine = claiming(meeting(home, name, barrier), 1)
        trial = mine.take(choose)
        mine.close()
        return None if trial is None else trial.number

    assert sorted(together(2, session), key=str) == [0, None]


class Late(JournalStorage):
    """A journal; something else happens between what a session reads and what it then writes."""

    meanwhile: Callable[[], Any] | None = None

    def _other(self) -> None:
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            happens()

    def get_all_trials(self, study_id: int, deepcopy: bool = True, states: Any = None) -> Any:
        found = super().get_all_trials(study_id, deepcopy, states)
        if states == (TrialState.WAITING,):
            self._other()
        return found


def late(home: Path, name: str) -> tuple[optuna.Study, Late]:
    storage = Late(JournalFileBackend(str(journal_of(home, name))))
    return study_setup.open_study(storage, name, ["maximize"], told()), storage


def test_who_comes_too_late_does_not_call_a_trial_its_own(study: optuna.Study, home: Path, name: str) -> None:
    """Or the trial is begun anew as soon as the late one ends, while its owner still runs it."""
    study.enqueue_trial({"x": 0.5})
    theirs, (mine, storage) = claiming(study, 1), late(home, name)
    storage.meanwhile = lambda: theirs.take(choose)
    assert claiming(mine, 1).take(choose) is None
    assert study.get_trials()[0].user_attrs[SESSION] == theirs.session


def test_one_too_many_is_void(study: optuna.Study, home: Path, name: str) -> None:
    theirs, (mine, storage) = claiming(study, 1), late(home, name)
    storage.meanwhile = lambda: theirs.take(choose)
    assert claiming(mine, 1).take(choose) is None
    first, second = study.get_trials()
    assert (first.state, first.user_attrs) == (TrialState.RUNNING, {SESSION: theirs.session})
    assert (second.state, second.user_attrs[VOID], second.params) == (TrialState.FAIL, "surplus", {})
    assert counted(study.get_trials()) == 1


def test_a_limit_may_be_raised_later(study: optuna.Study) -> None:
    assert [number for number, _ in work(claiming(study, 2), study)] == [0, 1]
    assert [number for number, _ in work(claiming(study, 5), study)] == [2, 3, 4]
    assert work(claiming(study, 5), study) == []
    assert work(claiming(study, 3), study) == []


def test_what_waits_beyond_a_lower_limit_is_void(study: optuna.Study) -> None:
    for place in range(4):
        study.enqueue_trial({"x": place / 4})
    assert [params["x"] for _, params in work(claiming(study, 2), study)] == [0.0, 0.25]
    assert [one.user_attrs.get(VOID) for one in study.get_trials()] == [None, None, "surplus", "surplus"]


def test_left(study: optuna.Study) -> None:
    taking = claiming(study, 2)
    assert taking.left
    first = taking.take(choose)
    assert taking.left
    taking.take(choose)
    assert not taking.left
    assert first is not None
    taking.again(first.number, "interrupted")
    assert taking.left


# Exclusions


def test_an_excluded_combination_takes_nobodys_place(memory: optuna.Study) -> None:
    taken = work(claiming(memory, 5), memory, lambda trial: trial.suggest_float("x", 0, 1) > 0.5)
    assert len(taken) == counted(memory.get_trials()) == 5
    assert all(params["x"] > 0.5 for _, params in taken)
    void = [one for one in memory.get_trials() if VOID in one.user_attrs]
    assert {(one.state, one.user_attrs[VOID]) for one in void} == {(TrialState.FAIL, "excluded")}


def test_a_search_that_excludes_everything_ends(memory: optuna.Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_queue, "EXCLUDED_IN_A_ROW", 30)
    with pytest.raises(ConfigError) as caught:
        claiming(memory, 5).take(lambda trial: trial.suggest_float("x", 0, 1) > 2)
    assert str(caught.value) == (
        "hydra.sweeper.exclude: 30 combinations in a row were excluded; exclude less, or name only what is left."
    )
    assert counted(memory.get_trials()) == 0


# Interrupted trials


def test_what_was_killed_comes_again_once_with_the_same_parameters(store: str | None, home: Path, name: str) -> None:
    process, pipe = begin(hold, store, home, name, 1, 2)
    held = pipe.recv()
    study = opened(store, home, name)
    taking = claiming(study, 6)
    assert taking.mend() == 0  # it lives
    os.kill(process.pid, signal.SIGKILL)
    process.join(PATIENCE)
    assert (taking.mend(), taking.mend()) == (2, 0)
    taken = work(taking, study)
    assert [params for _, params in taken[:2]] == list(held.values())
    assert len(taken) == 5
    assert counted(study.get_trials()) == len(finished(study)) == 6
    again = [study.get_trials()[number] for number, _ in taken]
    assert [one.user_attrs.get(RETRY) for one in again] == [*held, None, None, None]
    assert {one.user_attrs["attempt"] for one in again[:2]} == {0}
    assert {study.get_trials()[number].user_attrs[VOID] for number in held} == {"interrupted"}
    taking.close()


def test_several_sessions_that_look_at_once_ask_once(store: str | None, home: Path, name: str) -> None:
    if store is not None and store.startswith("sqlite"):
        pytest.skip("its own test meets on purpose")
    study = opened(store, home, name)
    for place in range(4):
        orphan(study, x=place / 4)

    def session(place: int) -> int:
        del place
        mine = claiming(opened(store, home, name), 4)
        mine.close()
        return mine.mend()

    together(4, session)
    assert sorted(one.system_attrs["fixed_params"]["x"] for one in waiting(study)) == [0.0, 0.25, 0.5, 0.75]
    assert counted(study.get_trials()) == 4


def test_two_sessions_that_look_into_sqlite_at_once_ask_once(home: Path, name: str) -> None:
    study = opened(f"sqlite:///{home}/{name}.db", home, name)
    orphan(study, x=0.5)
    barrier = Barrier(2)

    def session(place: int) -> int:
        del place
        mine = claiming(meeting(home, name, barrier), 1)
        mine.close()
        return mine.mend()

    together(2, session)
    assert len(waiting(study)) == 1


def test_what_nobody_owns_comes_again(study: optuna.Study) -> None:
    """Begun by a program that signs nothing."""
    trial = study.ask()
    trial.suggest_float("x", 0, 1)
    taking = claiming(study, 1)
    assert taking.mend() == 1
    assert work(taking, study) == [(1, trial.params)]


def test_what_had_chosen_nothing_yet_is_replaced(study: optuna.Study) -> None:
    orphan(study)
    taking = claiming(study, 3)
    assert taking.mend() == 1
    assert [number for number, _ in work(taking, study)] == [1, 2, 3]
    assert counted(study.get_trials()) == 3


def test_a_trial_of_this_session_is_not_mended(study: optuna.Study) -> None:
    taking = claiming(study, 2)
    taking.take(choose)
    assert taking.mend() == 0


def test_a_trial_that_was_interrupted_twice_keeps_its_parameters(study: optuna.Study) -> None:
    orphan(study, x=0.625)
    for _ in range(2):
        taking = claiming(study, 1)
        assert taking.mend() == 1
        trial = taking.take(choose)
        assert trial is not None
        assert trial.params == {"x": 0.625}
        trial.set_user_attr(SESSION, "gone")
    last = claiming(study, 1)
    last.mend()
    assert work(last, study) == [(3, {"x": 0.625})]
    assert [one.user_attrs.get(RETRY) for one in study.get_trials()] == [None, 0, 1, 2]


# Retries


def test_a_retry_has_the_same_parameters_and_counts_its_attempts(study: optuna.Study) -> None:
    taking = claiming(study, 1)
    seen = []
    for _ in range(3):
        trial = taking.take(choose)
        assert trial is not None
        seen.append((trial.number, trial.params, trial.user_attrs.get(RETRY), trial.user_attrs.get("attempt", 0)))
        taking.again(trial.number, "retried")
    params = seen[0][1]
    assert seen == [(0, params, None, 0), (1, params, 0, 1), (2, params, 1, 2)]
    assert work(taking, study) == [(3, params)]
    assert counted(study.get_trials()) == 1


def test_an_interruption_is_no_attempt(study: optuna.Study) -> None:
    taking = claiming(study, 1)
    for why in ("retried", "interrupted", "retried"):
        trial = taking.take(choose)
        assert trial is not None
        taking.again(trial.number, why)
    assert [one.user_attrs.get("attempt") for one in study.get_trials()] == [None, 1, 1, 2]


@pytest.mark.parametrize("why", ["retried", "interrupted"])
def test_a_finished_trial_is_not_asked_for_again(why: str, study: optuna.Study) -> None:
    taking = claiming(study, 2)
    work(taking, study)
    taking.again(0, why)
    assert not taking.void(1, why)
    assert waiting(study) == []
    assert counted(study.get_trials()) == len(finished(study)) == 2


def test_void_happens_once(study: optuna.Study) -> None:
    taking = claiming(study, 2)
    taking.take(choose)
    assert [taking.void(0, "surplus"), taking.void(0, "excluded")] == [True, False]
    assert study.get_trials()[0].user_attrs[VOID] == "surplus"


# Signs of life


@pytest.mark.parametrize(
    ("changed", "silent", "lives"),
    [
        ({}, 0, True),
        ({}, 1000, True),
        ({"pid": DEAD}, 0, False),
        ({"born": 1.0}, 0, False),
        ({"host": "elsewhere", "pid": DEAD}, 0, True),
        ({"host": "elsewhere"}, 60, True),
        ({"host": "elsewhere"}, 1000, False),
    ],
    ids=["this one", "silent", "gone", "number used again", "elsewhere", "late", "lost"],
)
def test_alive(changed: dict[str, Any], silent: float, lives: bool) -> None:
    assert alive({**studies.owner(), "seen": time.time() - silent, **changed}) is lives


def test_a_session_that_nobody_knows_is_not_alive() -> None:
    assert not alive(None)


def test_a_process_whose_parent_does_not_ask_is_not_alive() -> None:
    """In a container the first process is often one that never asks."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        theirs = {**studies.owner(), "pid": process.pid, "born": psutil.Process(process.pid).create_time()}
        assert alive(theirs)
        process.kill()
        until = time.monotonic() + PATIENCE
        while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE and time.monotonic() < until:
            time.sleep(0.02)
        assert not alive(theirs)
    finally:
        process.kill()
        process.wait()


def test_a_session_signs_until_it_ends(study: optuna.Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_queue, "BEAT", 0.02)
    taking = claiming(study, 1)

    def seen() -> float:
        return float(study.user_attrs[f"{SESSION}:{taking.session}"]["seen"])

    first, until = seen(), time.monotonic() + PATIENCE
    while seen() == first and time.monotonic() < until:
        time.sleep(0.02)
    assert seen() > first
    taking.close()
    time.sleep(0.2)
    last = seen()
    time.sleep(0.1)
    assert seen() == last


def test_each_session_has_a_name_of_its_own(study: optuna.Study) -> None:
    names = {claiming(study, 1).session for _ in range(3)}
    assert len(names) == 3
    assert {f"{SESSION}:{one}" for one in names} <= set(study.user_attrs)
    assert {study.user_attrs[f"{SESSION}:{one}"]["pid"] for one in names} == {os.getpid()}


# Places of a grid


@pytest.mark.parametrize(
    ("attributes", "place"),
    [
        ([], 0),
        ([{}, {}], 2),
        ([{}, {VOID: "surplus"}], 1),
        ([{VOID: "interrupted"}, {RETRY: 0}], 1),
        ([{VOID: "retried"}, {RETRY: 0, VOID: "retried"}, {RETRY: 1}, {}], 2),
    ],
    ids=["first", "third", "surplus", "interrupted", "retried"],
)
def test_grid_place(attributes: list[dict[str, Any]], place: int) -> None:
    trials = [optuna.trial.create_trial(state=TrialState.RUNNING, user_attrs=one) for one in attributes]
    assert grid_place(trials, len(trials)) == place
    assert grid_place([*trials, *trials], len(trials)) == place

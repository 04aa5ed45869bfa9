"""Queues hand out exactly `n_trials` across all processes, and re-queue interrupted trials only."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Barrier, local
from typing import Any
from uuid import uuid4

import optuna
import pytest
from optuna.storages import JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from mlrunner.core.errors import ConfigError
from mlrunner.search.trial_attributes import ATTEMPT, LOSSES, OVERRIDES, RETRY_OF, VOID, count_valid
from mlrunner.tracking import studies
from mlrunner.tracking.records import journal_path
from mlrunner.tracking.studies import SESSION
from tests.support.sweeps import (
    SERVICES,
    TIMEOUT,
    NumberAndParams,
    close_all,
    create_database,
    finish_all,
    list_complete,
    list_waiting,
    open_memory_study,
    open_study,
    open_study_in,
    run_together,
    start_process,
    start_queue,
    suggest,
)

pytestmark = pytest.mark.filterwarnings("ignore:JournalRedisBackend is experimental")
UNUSED_PID = 2**22 + 7
KINDS = ["journal", "sqlite", *(pytest.param(name, marks=pytest.mark.services) for name in SERVICES)]


@pytest.fixture(scope="module", params=KINDS)
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str | None]:
    """The address of each kind of storage; an empty database, which is dropped afterwards."""
    if request.param in SERVICES:
        yield from create_database(request.param)
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
    return open_study(None, home, name)


@pytest.fixture
def memory() -> optuna.Study:
    return open_memory_study()


def leave_trial(study: optuna.Study, **params: float) -> int:
    """Leave a running trial of a process that has died."""
    queue = start_queue(study, 10**6)
    trial = queue.take(
        lambda trial: all(trial.suggest_float(*[key, *[value] * 2]) == value for key, value in params.items())
    )
    queue.close()
    assert trial is not None
    trial.set_user_attr(OVERRIDES, [])  # all of it was drawn
    study.set_user_attr(f"{SESSION}:gone", {**studies.describe_process(), "pid": UNUSED_PID})
    trial.set_user_attr(SESSION, "gone")
    return trial.number


# Other processes


def hold_trials(address: str | None, home: Path, name: str, ends: int, holds: int, pipe: Connection) -> None:
    """Finish some trials, take some more, and wait to be killed."""
    study = open_study(address, home, name)
    queue = start_queue(study, 10**6)
    for _ in range(ends):
        study.tell(queue.take(suggest), 0.5)
    trials = [queue.take(suggest) for _ in range(holds)]
    pipe.send({trial.number: trial.params for trial in trials if trial is not None})
    time.sleep(TIMEOUT)


def race(address: str | None, home: Path, name: str, limit: int, pipe: Connection) -> None:
    study = open_study(address, home, name)
    queue = start_queue(study, limit)
    pipe.recv()
    pipe.send((queue.session, finish_all(queue, study)))


def finish_in_session(address: str | None, home: Path, name: str, limit: int) -> tuple[str, list[NumberAndParams]]:
    study = open_study(address, home, name)
    queue = start_queue(study, limit)
    taken = finish_all(queue, study)
    queue.close()
    return queue.session, taken


# Exactly n_trials


def assert_exact(taken: list[tuple[str, list[NumberAndParams]]], study: optuna.Study, limit: int) -> None:
    """Exactly `limit` trials, each taken once, and recorded as that of the session that took it."""
    owners = {number: session for session, pairs in taken for number, _ in pairs}
    trials = study.get_trials()
    assert len(owners) == sum(len(pairs) for _, pairs in taken) == limit
    assert count_valid(trials) == len(list_complete(study)) == limit
    assert {trial.user_attrs[VOID] for trial in trials if VOID in trial.user_attrs} <= {"surplus"}
    assert {number: trials[number].user_attrs[SESSION] for number in owners} == owners


def test_threads_that_ask_at_once_take_exactly_the_limit(address: str | None, home: Path, name: str) -> None:
    open_study(address, home, name)
    taken = run_together(4, lambda _: finish_in_session(address, home, name, 6))
    assert_exact(taken, open_study(address, home, name), 6)


@pytest.mark.slow
def test_processes_that_ask_at_once_take_exactly_the_limit(address: str | None, home: Path, name: str) -> None:
    open_study(address, home, name)
    started = [start_process(race, address, home, name, 6) for _ in range(2)]
    for _, pipe in started:
        pipe.send("now")
    taken = [pipe.recv() for _, pipe in started]
    for process, _ in started:
        process.join(TIMEOUT)
    assert_exact(taken, open_study(address, home, name), 6)


@pytest.mark.parametrize("kind", ["journal", *KINDS[2:]])
def test_a_waiting_trial_is_taken_by_one_session(kind: str, home: Path, name: str) -> None:
    databases = create_database(kind) if kind in SERVICES else iter([None])
    address = next(databases)
    try:
        study = open_study(address, home, name)
        for index in range(6):
            study.enqueue_trial({"x": index / 6})
        taken = run_together(4, lambda _: finish_in_session(address, home, name, 6))
        assert_exact(taken, study, 6)
        assert sorted(params["x"] for _, pairs in taken for _, params in pairs) == [index / 6 for index in range(6)]
    finally:
        close_all()
        list(databases)  # drops the database


class MeetingStorage(RDBStorage):
    """SQLite's storage; two that change the state of a trial have both read it before one of them writes."""

    def __init__(self, url: str, barrier: Barrier) -> None:
        super().__init__(url)
        self.barrier, self.here = barrier, local()

    def check_trial_is_updatable(self, trial_id: int, trial_state: TrialState) -> None:
        super().check_trial_is_updatable(trial_id, trial_state)
        if getattr(self.here, "changes", False):
            with suppress(Exception):  # the other one may do something else
                self.barrier.wait(2)

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Any = None) -> bool:
        self.here.changes = True
        try:
            return super().set_trial_state_values(trial_id, state, values)
        finally:
            self.here.changes = False


def open_meeting(home: Path, name: str, barrier: Barrier) -> optuna.Study:
    return open_study_in(MeetingStorage(f"sqlite:///{home}/{name}.db", barrier), name)


@pytest.mark.slow
def test_a_waiting_trial_in_sqlite_is_taken_by_one_session(home: Path, name: str) -> None:
    open_study(f"sqlite:///{home}/{name}.db", home, name).enqueue_trial({"x": 0.5})
    barrier = Barrier(2)

    def take(_index: int) -> int | None:
        queue = start_queue(open_meeting(home, name, barrier), 1)
        trial = queue.take(suggest)
        queue.close()
        return None if trial is None else trial.number

    assert sorted(run_together(2, take), key=str) == [0, None]


class LateStorage(JournalStorage):
    """A journal; something happens between what a session reads and what it then writes."""

    between: Callable[[], Any] | None = None

    def get_all_trials(self, study_id: int, deepcopy: bool = True, states: Any = None) -> Any:
        trials = super().get_all_trials(study_id, deepcopy, states)
        if states == (TrialState.WAITING,) and self.between is not None:
            between, self.between = self.between, None
            between()
        return trials


def open_late(home: Path, name: str) -> tuple[optuna.Study, LateStorage]:
    storage = LateStorage(JournalFileBackend(str(journal_path(home, name))))
    return open_study_in(storage, name), storage


def test_a_session_that_is_late_does_not_own_the_trial(study: optuna.Study, home: Path, name: str) -> None:
    """Or the trial would be re-queued as soon as the late session ends, while its owner still runs it."""
    study.enqueue_trial({"x": 0.5})
    first, (late, storage) = start_queue(study, 1), open_late(home, name)
    storage.between = lambda: first.take(suggest)
    assert start_queue(late, 1).take(suggest) is None
    assert study.get_trials()[0].user_attrs[SESSION] == first.session


def test_a_surplus_trial_is_discarded(study: optuna.Study, home: Path, name: str) -> None:
    first, (late, storage) = start_queue(study, 1), open_late(home, name)
    storage.between = lambda: first.take(suggest)
    assert start_queue(late, 1).take(suggest) is None
    one, two = study.get_trials()
    assert (one.state, one.user_attrs[SESSION], VOID in one.user_attrs) == (TrialState.RUNNING, first.session, False)
    assert (two.state, two.user_attrs[VOID], two.params) == (TrialState.FAIL, "surplus", {})


def test_a_limit_may_change_later(study: optuna.Study) -> None:
    assert [number for number, _ in finish_all(start_queue(study, 2), study)] == [0, 1]
    assert [number for number, _ in finish_all(start_queue(study, 5), study)] == [2, 3, 4]
    assert finish_all(start_queue(study, 5), study) == []
    assert finish_all(start_queue(study, 3), study) == []


def test_waiting_trials_beyond_the_limit_are_discarded(study: optuna.Study) -> None:
    for index in range(4):
        study.enqueue_trial({"x": index / 4})
    assert [params["x"] for _, params in finish_all(start_queue(study, 2), study)] == [0.0, 0.25]
    assert [trial.user_attrs.get(VOID) for trial in study.get_trials()] == [None, None, "surplus", "surplus"]


def test_a_queue_has_a_next_trial_until_the_limit_or_while_one_waits(study: optuna.Study) -> None:
    queue = start_queue(study, 1)
    assert queue.has_next
    trial = queue.take(suggest)
    assert not queue.has_next
    assert trial is not None
    assert queue.recover() == 0  # the trial of this session
    queue.requeue(trial.number, "interrupted")
    assert queue.has_next


# Exclusions


def test_an_excluded_combination_does_not_count(memory: optuna.Study) -> None:
    taken = finish_all(start_queue(memory, 5), memory, lambda trial: trial.suggest_float("x", 0, 1) > 0.5)
    assert len(taken) == count_valid(memory.get_trials()) == 5
    assert all(params["x"] > 0.5 for _, params in taken)
    void = [trial for trial in memory.get_trials() if VOID in trial.user_attrs]
    assert {(trial.state, trial.user_attrs[VOID]) for trial in void} == {(TrialState.FAIL, "excluded")}


def test_a_search_that_excludes_everything_ends(memory: optuna.Study) -> None:
    with pytest.raises(ConfigError) as caught:
        start_queue(memory, 5, max_excluded=30).take(lambda trial: trial.suggest_float("x", 0, 1) > 2)
    assert str(caught.value) == (
        "hydra.sweeper.exclude: 30 combinations in a row were excluded; exclude less, or name only what is left."
    )
    assert count_valid(memory.get_trials()) == 0


# Interrupted trials


@pytest.mark.slow
def test_the_trials_of_a_killed_process_run_once_more(address: str | None, home: Path, name: str) -> None:
    process, pipe = start_process(hold_trials, address, home, name, 1, 2)
    held = pipe.recv()
    study = open_study(address, home, name)
    queue = start_queue(study, 6)
    assert queue.recover() == 0  # the process is alive
    os.kill(process.pid, signal.SIGKILL)
    process.join(TIMEOUT)
    assert (queue.recover(), queue.recover()) == (2, 0)
    taken = finish_all(queue, study)
    trials = study.get_trials()
    assert [params for _, params in taken[:2]] == list(held.values())
    assert (len(taken), count_valid(trials), len(list_complete(study))) == (5, 6, 6)
    retries = [trials[number] for number, _ in taken]
    assert [trial.user_attrs.get(RETRY_OF) for trial in retries] == [*held, None, None, None]
    assert {trial.user_attrs[ATTEMPT] for trial in retries[:2]} == {0}
    assert {trials[number].user_attrs[VOID] for number in held} == {"interrupted"}


def test_sessions_that_recover_at_once_requeue_once(address: str | None, home: Path, name: str) -> None:
    if address is not None and address.startswith("sqlite"):
        pytest.skip("the next test covers SQLite")
    study = open_study(address, home, name)
    for index in range(4):
        leave_trial(study, x=index / 4)
    run_together(4, lambda _: start_queue(open_study(address, home, name), 4).recover())
    assert sorted(trial.system_attrs["fixed_params"]["x"] for trial in list_waiting(study)) == [0.0, 0.25, 0.5, 0.75]
    assert count_valid(study.get_trials()) == 4


@pytest.mark.slow
def test_sessions_that_recover_sqlite_at_once_requeue_once(home: Path, name: str) -> None:
    study = open_study(f"sqlite:///{home}/{name}.db", home, name)
    leave_trial(study, x=0.5)
    barrier = Barrier(2)
    run_together(2, lambda _: start_queue(open_meeting(home, name, barrier), 1).recover())
    assert len(list_waiting(study)) == 1


def test_a_trial_that_a_live_session_is_queueing_again_is_left_to_it_in_every_time_zone(
    study: optuna.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Optuna's times are local and have no zone."""
    first, second = start_queue(study, 2), start_queue(study, 2)
    trial = first.take(suggest)
    assert trial is not None
    first.discard(trial.number, "retried")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert second.recover() == 0
        first.close()
        assert second.recover() == 1
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_trial_of_a_program_that_records_no_session_runs_once_more(study: optuna.Study) -> None:
    trial = study.ask()
    trial.suggest_float("x", 0, 1)
    queue = start_queue(study, 1)
    assert queue.recover() == 1
    assert finish_all(queue, study) == [(1, trial.params)]


def test_an_interrupted_trial_without_parameters_is_replaced(study: optuna.Study) -> None:
    leave_trial(study)
    queue = start_queue(study, 3)
    assert queue.recover() == 1
    assert [number for number, _ in finish_all(queue, study)] == [1, 2, 3]
    assert count_valid(study.get_trials()) == 3


def test_a_trial_that_was_interrupted_runs_before_those_that_wait(study: optuna.Study) -> None:
    """Or a sampler would learn from the trials in another order."""
    leave_trial(study, x=0.625)
    study.enqueue_trial({"x": 0.25})
    queue = start_queue(study, 2)
    queue.recover()
    assert [params["x"] for _, params in finish_all(queue, study)] == [0.625, 0.25]


def test_a_trial_that_is_interrupted_twice_keeps_its_parameters(study: optuna.Study) -> None:
    leave_trial(study, x=0.625)
    for _ in range(2):
        queue = start_queue(study, 1)
        assert queue.recover() == 1
        trial = queue.take(suggest)
        assert trial is not None
        assert trial.params == {"x": 0.625}
        trial.set_user_attr(SESSION, "gone")
    queue = start_queue(study, 1)
    queue.recover()
    assert finish_all(queue, study) == [(3, {"x": 0.625})]
    assert [trial.user_attrs.get(RETRY_OF) for trial in study.get_trials()] == [None, 0, 1, 2]


# Retries


def test_a_retry_has_the_same_parameters_and_counts_attempts(study: optuna.Study) -> None:
    """An interruption and a lost worker are no attempts; losses are counted apart."""
    queue, params = start_queue(study, 1), []
    for reason in ("retried", "lost", "retried"):
        trial = queue.take(suggest)
        assert trial is not None
        params.append(trial.params)
        queue.requeue(trial.number, reason)
    assert params == [params[0]] * 3
    assert [trial.user_attrs.get(RETRY_OF) for trial in study.get_trials()] == [None, 0, 1, 2]
    assert [trial.user_attrs.get(ATTEMPT) for trial in study.get_trials()] == [None, 1, 1, 2]
    assert [trial.user_attrs.get(LOSSES) for trial in study.get_trials()] == [None, 0, 1, 1]
    assert finish_all(queue, study) == [(3, params[0])]
    assert count_valid(study.get_trials()) == 1


def test_a_finished_trial_is_not_requeued(study: optuna.Study) -> None:
    queue = start_queue(study, 2)
    finish_all(queue, study)
    queue.requeue(0, "retried")
    assert not queue.discard(1, "interrupted")
    assert list_waiting(study) == []
    assert count_valid(study.get_trials()) == len(list_complete(study)) == 2


def test_a_trial_is_discarded_once(study: optuna.Study) -> None:
    queue = start_queue(study, 2)
    queue.take(suggest)
    assert [queue.discard(0, "surplus"), queue.discard(0, "excluded")] == [True, False]
    assert study.get_trials()[0].user_attrs[VOID] == "surplus"

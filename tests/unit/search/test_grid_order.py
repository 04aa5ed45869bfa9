"""A grid tries every combination once and in order, with several processes and after interruptions."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import uuid4

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import Trial

from mlrunner.search.dimension import Dimension
from mlrunner.search.grid_order import GridOrder, list_combinations
from mlrunner.search.space import Space, suggest_value
from mlrunner.search.trial_queue import TrialQueue
from mlrunner.tracking.studies import SESSION
from tests.support.sweeps import list_complete, open_memory_study, open_study, run_together, start_process, start_queue

TIMEOUT = 60  # seconds, on a busy machine


def build_dimension(key: str, values: list[Any], model: str | None = None) -> Dimension:
    name = key if model is None else f"{model}:{key}"
    return Dimension(name, key, CategoricalDistribution(values), "choice", model)


PLAIN = Space(
    (),
    (
        build_dimension("cleaning", ["full", "none"]),
        Dimension("depth", "model.depth", IntDistribution(1, 3), "range(1,4)"),
        Dimension("share", "model.share", FloatDistribution(0.5, 1.0, step=0.5), "range(0.5,1.1,0.5)"),
    ),
    "rf",
)
MODELS = Space(
    (),
    (
        build_dimension("model", ["rf", "ridge"]),
        build_dimension("cleaning", ["full", "none"]),
        build_dimension("model.depth", [1, 2, 3], "rf"),
        build_dimension("model.alpha", [0.1, None], "ridge"),
    ),
    "rf",
)
Params = dict[str, Any]


def start_grid(study: optuna.Study, space: Space, limit: int | None = None) -> TrialQueue:
    grid = space.grid()
    sampler = GridOrder(grid)

    def build(number: int) -> GridOrder:
        del number
        return sampler

    return start_queue(study, len(grid) if limit is None else limit, build)


def make_suggest(space: Space) -> Callable[[Trial], bool]:
    def suggest(trial: Trial) -> bool:
        space.suggest(trial)
        return True

    return suggest


def finish_all(study: optuna.Study, space: Space, limit: int | None = None, seconds: float = 0.0) -> list[Params]:
    """Take and finish combinations until the grid is used up."""
    queue, combinations = start_grid(study, space, limit), []
    while (trial := queue.take(make_suggest(space))) is not None:
        time.sleep(seconds)
        combinations.append(dict(trial.params))
        study.tell(trial, 0.5)
    queue.close()
    return combinations


def lose(trial: Trial) -> None:
    """Assign a trial to a session that is gone."""
    trial.set_user_attr(SESSION, "gone")


def list_params(study: optuna.Study) -> list[Params]:
    return [trial.params for trial in list_complete(study)]


def assert_each_once(study: optuna.Study, space: Space) -> None:
    assert sorted(map(str, list_params(study))) == sorted(map(str, space.grid()))


@pytest.fixture
def name() -> str:
    return f"grid-{uuid4().hex[:8]}"


@pytest.fixture
def memory() -> optuna.Study:
    return open_memory_study()


# Order


def test_a_grid_is_tried_in_order(memory: optuna.Study) -> None:
    combinations = finish_all(memory, MODELS)
    assert combinations == MODELS.grid()
    assert {frozenset(params) for params in combinations} == {
        frozenset(["model", "cleaning", "rf:model.depth"]),
        frozenset(["model", "cleaning", "ridge:model.alpha"]),
    }


def test_a_seed_shuffles_the_combinations_always_alike() -> None:
    shuffled = list_combinations(PLAIN, 3)
    assert list_combinations(PLAIN, None) == PLAIN.grid() != shuffled == list_combinations(PLAIN, 3)
    assert sorted(map(str, shuffled)) == sorted(map(str, PLAIN.grid()))


def test_no_parameters_are_sampled_jointly(memory: optuna.Study) -> None:
    order = GridOrder([{"x": 1}])
    frozen = memory.ask()._cached_frozen_trial
    assert order.infer_relative_search_space(memory, frozen) == {}
    assert order.sample_relative(memory, frozen, {"x": IntDistribution(0, 1)}) == {}


def test_a_grid_continues_after_its_first_trials_and_starts_again_after_its_end(memory: optuna.Study) -> None:
    assert finish_all(memory, PLAIN, limit=5) == PLAIN.grid()[:5]
    assert finish_all(memory, PLAIN, limit=14) == [*PLAIN.grid()[5:], *PLAIN.grid()[:2]]


# Several at once


@pytest.mark.slow
def test_several_sessions_share_a_grid(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/grid.db"
    open_study(address, tmp_path, "grid")
    combinations = run_together(3, lambda _: finish_all(open_study(address, tmp_path, "grid"), MODELS))
    assert_each_once(open_study(address, tmp_path, "grid"), MODELS)
    assert sum(map(len, combinations)) == len(MODELS.grid())


def work(home: Path, name: str, pipe: Connection) -> None:
    """Try combinations until none is left."""
    pipe.recv()
    pipe.send(finish_all(open_study(None, home, name), MODELS, seconds=0.02))


def hang(home: Path, name: str, pipe: Connection) -> None:
    """Take two combinations, finish one, and wait to be killed."""
    study = open_study(None, home, name)
    queue = start_grid(study, MODELS)
    study.tell(queue.take(make_suggest(MODELS)), 0.5)
    trial = queue.take(make_suggest(MODELS))
    pipe.send(None if trial is None else trial.params)
    time.sleep(TIMEOUT)


@pytest.mark.slow
def test_processes_share_a_grid_and_one_is_killed(tmp_path: Path, name: str) -> None:
    open_study(None, tmp_path, name)
    victim, victim_pipe = start_process(hang, tmp_path, name)
    unfinished = victim_pipe.recv()
    others = [start_process(work, tmp_path, name) for _ in range(2)]
    for _, pipe in others:
        pipe.send("now")
    tried = [params for _, pipe in others for params in pipe.recv()]
    os.kill(victim.pid, signal.SIGKILL)
    for process in (victim, *(process for process, _ in others)):
        process.join(TIMEOUT)
    assert len(tried) == len(MODELS.grid()) - 2
    study = open_study(None, tmp_path, name)
    assert start_grid(study, MODELS).recover() == 1
    assert finish_all(study, MODELS) == [unfinished]
    assert_each_once(study, MODELS)


# Interruptions


@pytest.mark.parametrize("at", [0, 4, -1])
def test_an_interrupted_combination_is_repeated(at: int, memory: optuna.Study) -> None:
    grid = MODELS.grid()
    finish_all(memory, MODELS, limit=at % len(grid))
    trial = start_grid(memory, MODELS).take(make_suggest(MODELS))
    assert trial is not None
    lose(trial)
    assert start_grid(memory, MODELS).recover() == 1
    assert finish_all(memory, MODELS)[0] == grid[at] == trial.params
    assert_each_once(memory, MODELS)


def test_every_combination_is_tried_once_despite_interruptions(memory: optuna.Study) -> None:
    """Each session finishes one combination and loses two."""
    for _ in range(len(PLAIN.grid()) + 1):
        queue = start_grid(memory, PLAIN)
        queue.recover()
        trials = [queue.take(make_suggest(PLAIN)) for _ in range(3)]
        for place, trial in enumerate(trial for trial in trials if trial is not None):
            if place == 0:
                memory.tell(trial, 0.5)
            else:
                lose(trial)
        queue.close()
    assert_each_once(memory, PLAIN)


def test_a_retry_has_the_same_combination(memory: optuna.Study) -> None:
    queue = start_grid(memory, PLAIN)
    finish_all(memory, PLAIN, limit=2)
    trial = queue.take(make_suggest(PLAIN))
    assert trial is not None
    queue.requeue(trial.number, "retried")
    assert finish_all(memory, PLAIN)[0] == trial.params
    assert_each_once(memory, PLAIN)


@pytest.mark.parametrize("suggested", [0, 2])
def test_a_combination_interrupted_while_suggested_is_repeated(suggested: int, memory: optuna.Study) -> None:
    finish_all(memory, PLAIN, limit=4)
    queue = start_grid(memory, PLAIN)

    def be_killed(trial: Trial) -> bool:
        for dimension in PLAIN.dimensions[:suggested]:
            suggest_value(trial, dimension.name, dimension.distribution)
        lose(trial)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        queue.take(be_killed)
    assert start_grid(memory, PLAIN).recover() == 1
    finish_all(memory, PLAIN)
    assert_each_once(memory, PLAIN)

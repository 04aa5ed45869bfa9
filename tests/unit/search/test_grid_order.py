"""A grid: every combination exactly once and in order, with several processes and after interruptions."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import uuid4

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import InMemoryStorage
from optuna.trial import Trial

from mlrunner.search import study_setup
from mlrunner.search.grammar import Dimension
from mlrunner.search.grid_order import GridOrder
from mlrunner.search.space import Space
from mlrunner.search.trial_queue import Claims
from mlrunner.tracking.studies import SESSION
from tests.unit.search.test_trial_queue import begin, finished, let_go, opened, session_of, together, told

PATIENCE = 60


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    let_go()


def dimension(key: str, values: list[Any], model: str | None = None) -> Dimension:
    name = key if model is None else f"{model}:{key}"
    return Dimension(name, key, CategoricalDistribution(values), "choice", model)


PLAIN = Space(
    (),
    (
        dimension("cleaning", ["full", "none"]),
        Dimension("depth", "model.depth", IntDistribution(1, 3), "range(1,4)"),
        Dimension("share", "model.share", FloatDistribution(0.5, 1.0, step=0.5), "range(0.5,1.1,0.5)"),
    ),
    "rf",
)
MODELS = Space(
    (),
    (
        dimension("model", ["rf", "ridge"]),
        dimension("cleaning", ["full", "none"]),
        dimension("model.depth", [1, 2, 3], "rf"),
        dimension("model.alpha", [0.1, None], "ridge"),
    ),
    "rf",
)
SPACES = {"plain": PLAIN, "models": MODELS}
spaces = pytest.mark.parametrize("kind", SPACES)
Params = dict[str, Any]


def claiming(study: optuna.Study, space: Space, limit: int | None = None) -> Claims:
    grid = space.grid()
    sampler = GridOrder(grid)

    def always(number: int) -> GridOrder:
        del number
        return sampler

    return session_of(study, len(grid) if limit is None else limit, always)


def chooser(space: Space) -> Callable[[Trial], bool]:
    def choose(trial: Trial) -> bool:
        space.suggest(trial)
        return True

    return choose


def work(study: optuna.Study, space: Space, limit: int | None = None, seconds: float = 0.0) -> list[Params]:
    """Take and finish combinations until there are none."""
    taking, found = claiming(study, space, limit), []
    while (trial := taking.take(chooser(space))) is not None:
        time.sleep(seconds)
        found.append(dict(trial.params))
        study.tell(trial, 0.5)
    taking.close()
    return found


def lose(trial: Trial) -> None:
    """Leave a trial to a process that is gone."""
    trial.set_user_attr(SESSION, "gone")


def params(study: optuna.Study) -> list[Params]:
    return [one.params for one in finished(study)]


def assert_each_once(study: optuna.Study, space: Space) -> None:
    assert sorted(map(str, params(study))) == sorted(map(str, space.grid()))


@pytest.fixture
def name() -> str:
    return f"grid-{uuid4().hex[:8]}"


@pytest.fixture
def memory() -> optuna.Study:
    return study_setup.open_study(InMemoryStorage(), "grid", ["maximize"], told())


# Order


@spaces
def test_a_grid_goes_in_order(kind: str, memory: optuna.Study) -> None:
    assert work(memory, SPACES[kind]) == SPACES[kind].grid()


def test_a_model_has_only_values_of_its_own(memory: optuna.Study) -> None:
    found = work(memory, MODELS)
    assert len(found) == 2 * 3 + 2 * 2
    assert {frozenset(one) for one in found} == {
        frozenset(["model", "cleaning", "rf:model.depth"]),
        frozenset(["model", "cleaning", "ridge:model.alpha"]),
    }


def test_nothing_is_drawn_together(memory: optuna.Study) -> None:
    order = GridOrder([{"x": 1}])
    frozen = memory.ask()._cached_frozen_trial
    assert order.infer_relative_search_space(memory, frozen) == {}
    assert order.sample_relative(memory, frozen, {"x": IntDistribution(0, 1)}) == {}


def test_the_first_combinations_of_a_grid(memory: optuna.Study) -> None:
    assert work(memory, PLAIN, limit=5) == PLAIN.grid()[:5]
    assert work(memory, PLAIN, limit=8) == PLAIN.grid()[5:8]
    assert work(memory, PLAIN) == PLAIN.grid()[8:]


def test_beyond_its_end_a_grid_begins_again(memory: optuna.Study) -> None:
    assert work(memory, PLAIN, limit=14) == [*PLAIN.grid(), *PLAIN.grid()[:2]]


def test_an_excluded_combination_is_not_in_the_grid(memory: optuna.Study) -> None:
    space = Space((), PLAIN.dimensions, "rf", exclude=(("cleaning=none", "model.depth=[23]"),))
    found = work(memory, space)
    assert len(found) == 12 - 4
    assert {one["depth"] for one in found if one["cleaning"] == "none"} == {1}


# Several at once


@spaces
@pytest.mark.parametrize("store", ["journal", "sqlite"])
def test_several_sessions_share_a_grid(kind: str, store: str, tmp_path: Path) -> None:
    address = None if store == "journal" else f"sqlite:///{tmp_path}/grid.db"
    opened(address, tmp_path, "grid")
    found = together(3, lambda _: work(opened(address, tmp_path, "grid"), SPACES[kind]))
    assert_each_once(opened(address, tmp_path, "grid"), SPACES[kind])
    assert sum(map(len, found)) == len(SPACES[kind].grid())


def share(home: Path, name: str, pipe: Connection) -> None:
    """Work at a grid with others."""
    pipe.recv()
    pipe.send(work(opened(None, home, name), MODELS, seconds=0.02))


def hang(home: Path, name: str, pipe: Connection) -> None:
    """Take two combinations, finish one, and wait for death."""
    study = opened(None, home, name)
    taking = claiming(study, MODELS)
    study.tell(taking.take(chooser(MODELS)), 0.5)
    trial = taking.take(chooser(MODELS))
    pipe.send(None if trial is None else trial.params)
    time.sleep(PATIENCE)


def test_processes_share_a_grid_and_one_is_killed(tmp_path: Path, name: str) -> None:
    opened(None, tmp_path, name)
    victim, last_words = begin(hang, tmp_path, name)
    held = last_words.recv()
    others = [begin(share, tmp_path, name) for _ in range(2)]
    for _, pipe in others:
        pipe.send("now")
    shared = [one for _, pipe in others for one in pipe.recv()]
    os.kill(victim.pid, signal.SIGKILL)
    for process in (victim, *(process for process, _ in others)):
        process.join(PATIENCE)
    assert len(shared) == len(MODELS.grid()) - 2
    study = opened(None, tmp_path, name)
    assert claiming(study, MODELS).mend() == 1
    assert work(study, MODELS) == [held]
    assert_each_once(study, MODELS)


# Interruptions


@spaces
@pytest.mark.parametrize("at", [0, 1, 4, -1])
def test_an_interrupted_combination_comes_again(kind: str, at: int, memory: optuna.Study) -> None:
    space = SPACES[kind]
    grid = space.grid()
    work(memory, space, limit=at % len(grid))
    taking = claiming(memory, space)
    trial = taking.take(chooser(space))
    assert trial is not None
    lose(trial)
    after = claiming(memory, space)
    assert after.mend() == 1
    found = work(memory, space)
    assert found[0] == grid[at] == trial.params
    assert_each_once(memory, space)


def test_many_interruptions_leave_each_combination_once(memory: optuna.Study) -> None:
    """Each session finishes one combination and loses two."""
    for _ in range(len(PLAIN.grid()) + 1):
        taking = claiming(memory, PLAIN)
        taking.mend()
        begun = [taking.take(chooser(PLAIN)) for _ in range(3)]
        for place, trial in enumerate(one for one in begun if one is not None):
            if place == 0:
                memory.tell(trial, 0.5)
            else:
                lose(trial)
        taking.close()
    assert_each_once(memory, PLAIN)


def test_a_retried_combination_is_none_of_the_others(memory: optuna.Study) -> None:
    taking = claiming(memory, PLAIN)
    work(memory, PLAIN, limit=2)
    trial = taking.take(chooser(PLAIN))
    assert trial is not None
    taking.again(trial.number, "retried")
    assert work(memory, PLAIN)[0] == trial.params
    assert_each_once(memory, PLAIN)


@pytest.mark.parametrize("chosen", [0, 1, 2], ids=["nothing", "one value", "two values"])
def test_a_combination_that_was_killed_while_it_was_chosen_comes_again(chosen: int, memory: optuna.Study) -> None:
    work(memory, PLAIN, limit=4)
    taking = claiming(memory, PLAIN)

    def killed(trial: Trial) -> bool:
        for one in PLAIN.dimensions[:chosen]:
            trial._suggest(one.name, one.distribution)
        lose(trial)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        taking.take(killed)
    assert claiming(memory, PLAIN).mend() == 1
    work(memory, PLAIN)
    assert_each_once(memory, PLAIN)

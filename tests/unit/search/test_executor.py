"""Both executors of a search take trials as the loop expects it."""

from __future__ import annotations

import pickle
from pathlib import Path

from mlrunner.search.executor import Executor, Step
from mlrunner.search.hydra_launcher import LauncherExecutor
from mlrunner.search.workers import WorkerPool


def test_every_executor_counts_its_room(tmp_path: Path) -> None:
    pool = WorkerPool(1, 1)
    executors: list[Executor] = [pool, LauncherExecutor(None, 3, lambda number: ((), tmp_path / str(number)))]
    try:
        assert [executor.room for executor in executors] == [1, 3]
        for executor in executors:
            executor.answer(5, True)  # no such trial
            assert executor.wait(0.0) == []
    finally:
        for executor in executors:
            executor.close()


def test_a_step_goes_through_a_pipe() -> None:
    step = Step(3, 25, 0.5)
    assert pickle.loads(pickle.dumps(step)) == step

"""The sampler and the executor that the settings of a sweep name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.search.grid_order import GridOrder
from mlrunner.search.hydra_launcher import LauncherExecutor
from mlrunner.search.optuna_config import SAMPLERS
from mlrunner.search.search_factory import SweeperCall, build_executor, make_sampler_factory, start_workers
from mlrunner.search.trial import TrialTask
from mlrunner.search.workers import WorkerPool
from tests.support.front_door import PROJECT
from tests.support.ray_cluster import NEEDS_RAY
from tests.support.search import HydraSweep, open_hydra

FIXED = ("sweep=optuna", "dataset=diabetes", "model=ridge")


def call_sweeper(hydra: HydraSweep, config: Any = None) -> SweeperCall:
    return SweeperCall(hydra.context, lambda _: None, config or hydra.config)


def test_each_trial_has_a_sampler_of_its_own_seed(diabetes_sweep: HydraSweep) -> None:
    plan, _ = diabetes_sweep.plan("model=ridge", sampler=SAMPLERS["random"]())
    build = make_sampler_factory(plan)
    draws = [build(number)._rng.rng.random() for number in (0, 1, 0)]
    assert draws[0] == draws[2] != draws[1]


def test_the_trials_of_a_grid_share_one_order(diabetes_sweep: HydraSweep) -> None:
    plan, _ = diabetes_sweep.plan("model=ridge", "model.estimator.alpha=1,2", sampler=SAMPLERS["grid"]())
    build = make_sampler_factory(plan)
    assert isinstance(build(0), GridOrder)
    assert build(0) is build(1)


def test_the_basic_launcher_stands_for_our_own_workers(diabetes_sweep: HydraSweep) -> None:
    plan, _ = diabetes_sweep.plan("model=ridge", n_jobs=1)
    pool = start_workers(plan, call_sweeper(diabetes_sweep))
    try:
        assert isinstance(pool, WorkerPool)
        assert pool.room == 1
    finally:
        pool.close()


def test_a_cluster_and_a_launcher_cannot_both_run_the_trials(tmp_path: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    both = open_hydra(*FIXED, "executor=dask", "executor.address=tcp://127.0.0.1:9", "hydra/launcher=joblib")
    both.overrides = (*FIXED, "executor=dask", "executor.address=tcp://127.0.0.1:9")
    plan, preparer = both.plan()
    with pytest.raises(ConfigError, match="executor and hydra/launcher=joblib both say where trials run"):
        build_executor(plan, preparer, call_sweeper(both), tmp_path)


def test_another_launcher_runs_batches_in_the_folders_of_the_trials(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    joblib = open_hydra(*FIXED, "hydra/launcher=joblib", "hydra.sweep.subdir=${hydra.job.num}_x")
    joblib.overrides = FIXED  # a sweeper gets no overrides of Hydra's own node
    plan, preparer = joblib.plan(n_jobs=3)
    joblib.composer.set_sweep_dir(tmp_path)
    executor = build_executor(plan, preparer, call_sweeper(joblib), tmp_path)
    assert isinstance(executor, LauncherExecutor)
    assert executor.room == 3
    preparer.prepare((*FIXED[1:], "model.estimator.alpha=1"), 0)
    executor.submit(TrialTask(0, (), preparer.prepare(FIXED[1:]).repeats[0].data.dataset.roles, "regression", "r2"))
    assert [file.parent.name for file in tmp_path.glob("*/trial.json")] == ["0_x"]
    assert "hydra/launcher=joblib runs 3 trials at a time" in " ".join(capsys.readouterr().err.split())


@NEEDS_RAY
@pytest.mark.slow
def test_ray_is_imported_with_the_variables_that_keep_its_messages_out() -> None:
    """Ray prints what happens to its nodes on the standard output, unless it is told before its import."""
    done = subprocess.run([sys.executable, "-c", CONNECT], capture_output=True, text=True, cwd=PROJECT, timeout=60)
    assert done.stdout == "executor.address=127.0.0.1:9\n[]\n", done.stderr


CONNECT = """
from mlrunner.core.errors import ConfigError
from mlrunner.groups.executor.ray_engine import RayEngine
from pathlib import Path
from mlrunner.search.search_factory import _connect
try:
    _connect(RayEngine(address="127.0.0.1:9"), 1, Path("logs"))
except ConfigError as error:
    print(str(error).partition(": ")[0])
from ray._private.ray_logging import stdout_deduplicator
print(stdout_deduplicator.deduplicate({"lines": ["The node is dead"], "pid": "raylet"})[0]["lines"])
"""

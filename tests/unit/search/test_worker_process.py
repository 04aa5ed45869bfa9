"""How a worker process starts; what it does is in `test_workers`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mlrunner.search import worker_process
from tests.support.front_door import PROJECT, environment
from tests.support.trials import TIMEOUT, Data, family_settings, run_trial

POOL = """
import importlib, json, os, signal, sys
import psutil
from mlrunner.core.forking import mark_command
from mlrunner.search.trial import TrialTask
from mlrunner.search.worker_process import PRELOAD
from mlrunner.search.workers import WorkerPool

def run(pool):
    pool.submit(task)
    return next(event for _ in range(300) for event in pool.wait(0.1))

task = TrialTask.from_json(sys.stdin.read())
if sys.argv[1] == "warm":
    list(map(importlib.import_module, PRELOAD))
mark_command()
pool = WorkerPool(1, 1)
parents = [psutil.Process(pool.pids[0]).ppid() == os.getpid()]
results = [run(pool)]
os.kill(pool.pids[0], signal.SIGKILL)
pool.wait(5)
parents.append(psutil.Process(pool.pids[0]).ppid() == os.getpid())
results.append(run(pool))
pool.close()
print(json.dumps({"ours": parents, "scores": [result.metrics for result in results]}))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("start", "ours"), [("warm", [True, False]), ("cold", [False, False])])
def test_workers_are_forks_where_their_modules_are_imported_and_replaced_by_the_fork_server(
    start: str, ours: list[bool], tmp_path: Path
) -> None:
    task = Data(tmp_path / "files").task(family_settings("ridge"))
    done = subprocess.run(
        [sys.executable, "-c", POOL, start],
        input=task.to_json(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        cwd=PROJECT,
        env=environment(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["ours"] == ours
    assert report["scores"] == [run_trial(task).metrics] * 2


def test_preloading_leaves_signals_and_the_environment_as_they_were() -> None:
    before, path = signal.getsignal(signal.SIGINT), os.environ.get("PYTHONSAFEPATH")
    worker_process.preload(["xgboost"])
    assert signal.getsignal(signal.SIGINT) is before
    assert os.environ.get("PYTHONSAFEPATH") == path
    assert os.environ["OMP_WAIT_POLICY"] == "passive"

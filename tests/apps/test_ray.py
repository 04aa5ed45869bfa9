"""A search on two nodes of Ray, one of which is killed in the middle, finds what it finds on this machine."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mlrunner.search.trial import TrialResult
from mlrunner.search.trial_attributes import FOLDER
from tests.support.front_door import UNSAVED, front_door, start_command
from tests.support.http_client import wait_until
from tests.support.ray_cluster import NEEDS_RAY, RayCluster, RayNode
from tests.support.searches import list_scores, list_trials

pytestmark = [pytest.mark.slow, NEEDS_RAY]
WAIT = 120  # seconds, on a busy machine
MODEL = """
import time
from sklearn.linear_model import Ridge


class Slow(Ridge):
    def fit(self, X, y):
        time.sleep(2)
        return super().fit(X, y)
"""
SEARCH = (
    "sweep=optuna", "dataset=diabetes", "model=custom", "model.estimator._target_=slow_models.Slow",
    "+model.estimator.alpha=interval(0.01,10)", "hydra.sweeper.n_trials=6", "seed=3", "output=json", *UNSAVED,
)  # fmt: skip


def is_fitting(node: RayNode) -> bool:
    """Check whether a node runs a trial, which has a process of its own."""
    words = [word for process in node.list_processes() for word in process.cmdline()]
    return any("mlrunner.search.remote.child" in word for word in words)


def list_workers(home: Path, name: str) -> set[str]:
    """Return the names of the actors that have finished a trial."""
    folders = [Path(trial.user_attrs[FOLDER]) for trial in list_trials(home, name) if trial.value is not None]
    return {str(TrialResult.read(folder).worker).split()[0] for folder in folders}


def get_winner(document: dict[str, Any]) -> tuple[Any, ...]:
    metrics = {name: value for name, value in document["winner"]["metrics"].items() if not name.endswith("seconds")}
    return document["best_params"], document["best_value"], metrics


def test_a_search_that_loses_one_of_two_nodes_finds_the_same(session_home: Path, tmp_path: Path) -> None:
    """The estimator is in a folder that no node imports from."""
    (tmp_path / "slow_models.py").write_text(MODEL)
    variables = {"PYTHONPATH": str(tmp_path)}
    here = front_door(session_home, *SEARCH, "hydra.sweeper.n_jobs=1", "hydra.sweeper.study_name=no-node", **variables)
    assert here.code == 0, here.err
    with closing(RayCluster(tmp_path / "cluster", cpus=1)) as cluster:
        second = cluster.add_node()
        place = ("executor=ray", f"executor.address={cluster.address}", "hydra.sweeper.n_jobs=2")
        with start_command(session_home, *SEARCH, *place, "hydra.sweeper.study_name=nodes", **variables) as process:
            wait_until(lambda: len(list_workers(session_home, "nodes")) == 2 and is_fitting(second), WAIT)
            second.kill()
            out, err = process.communicate(timeout=WAIT)
    assert process.returncode == 0, err
    scores = list_scores(session_home, "nodes")
    assert scores == list_scores(session_home, "no-node")
    assert len(scores) == 6
    reasons = [trial.user_attrs.get("void") for trial in list_trials(session_home, "nodes")]
    assert set(reasons) == {None, "lost"}
    assert get_winner(json.loads(out)) == get_winner(here.json)

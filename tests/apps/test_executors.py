"""A search on a Dask cluster of real processes finds what it finds on this machine, also when a worker is killed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from tests.support.dask_cluster import DaskCluster
from tests.support.front_door import UNSAVED, front_door, start_command

pytestmark = pytest.mark.slow
MODEL = """
import time
from sklearn.linear_model import Ridge


class Slow(Ridge):
    def fit(self, X, y):
        time.sleep(1)
        return super().fit(X, y)
"""
SEARCH = (
    "sweep=optuna", "dataset=diabetes", "model=custom", "model.estimator._target_=slow_models.Slow",
    "+model.estimator.alpha=interval(0.01,10)", "hydra.sweeper.n_trials=4", "hydra.sweeper.n_jobs=1", *UNSAVED,
)  # fmt: skip


def list_trials(home: Path, name: str) -> list[optuna.trial.FrozenTrial]:
    """List the trials of a study; empty before it is there."""
    journal = home / ".mlrunner" / "studies" / f"{name}.journal"
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with contextlib.suppress(KeyError):
        if journal.exists():
            storage = JournalStorage(JournalFileBackend(str(journal)))
            return optuna.load_study(study_name=name, storage=storage).get_trials()
    return []


def list_scores(home: Path, name: str) -> list[tuple[str, float | None]]:
    """Return parameters and score of each trial that counts."""
    trials = [trial for trial in list_trials(home, name) if "void" not in trial.user_attrs]
    return sorted((repr(trial.params), trial.value) for trial in trials)


def has_finished(home: Path) -> bool:
    """Check whether the search on the cluster has finished a trial."""
    return any(trial.state.is_finished() for trial in list_trials(home, "there"))


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[DaskCluster]:
    (tmp_path / "cluster").mkdir()
    cluster = DaskCluster(tmp_path / "cluster")
    yield cluster
    cluster.close()


def test_a_cluster_that_loses_a_worker_finds_the_same(session_home: Path, tmp_path: Path, cluster: DaskCluster) -> None:
    """The estimator is in a folder that the workers do not import from."""
    (tmp_path / "slow_models.py").write_text(MODEL)
    cluster.add_worker()
    here = front_door(session_home, *SEARCH, "hydra.sweeper.study_name=here", PYTHONPATH=str(tmp_path))
    assert here.code == 0, here.err
    words = (*SEARCH, "hydra.sweeper.study_name=there", "executor=dask", f"executor.address={cluster.address}")
    with start_command(session_home, *words, PYTHONPATH=str(tmp_path)) as process:
        while process.poll() is None and not has_finished(session_home):
            time.sleep(0.1)
        time.sleep(0.4)  # the next trial has begun
        cluster.workers[0].kill()
        cluster.workers[0].wait()
        cluster.add_worker()
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert " is lost (the worker tcp://127.0.0.1:" in out
    assert list_scores(session_home, "there") == list_scores(session_home, "here")
    assert len(list_scores(session_home, "there")) == 4
    assert [each.user_attrs.get("void") for each in list_trials(session_home, "there")].count("lost") == 1

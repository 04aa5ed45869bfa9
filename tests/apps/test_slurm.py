"""A search starts its workers as jobs of Slurm; what a job that ends takes with it runs again in the next one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.front_door import UNSAVED, start_command
from tests.support.http_client import wait_until
from tests.support.searches import list_scores, list_trials
from tests.support.slurm_cluster import SlurmCluster, open_slurm

pytestmark = [pytest.mark.slow, pytest.mark.services]
WAIT = 240  # seconds; Slurm looks every half a minute whether the time of a job is over
WALLTIME = "00:10:00"
# The first fit of this estimator in all jobs never ends; it leaves a note of its process in a folder.
MODEL = """
import os, time
from pathlib import Path
from sklearn.linear_model import Ridge


class Stuck(Ridge):
    def __init__(self, alpha=1.0, notes=""):
        super().__init__(alpha=alpha)
        self.notes = notes

    def fit(self, X, y):
        note = Path(self.notes) / "stuck"
        if not note.exists():
            note.write_text(os.environ["SLURM_JOB_ID"])
            time.sleep(600)
        return super().fit(X, y)
"""


@pytest.fixture(scope="module")
def slurm() -> Iterator[SlurmCluster]:
    with open_slurm() as cluster:
        yield cluster


def check_logs(home: Path, out: str, err: str) -> None:
    """Check that the output says where the logs of the jobs are, which is in the folder of the sweep."""
    (logs,) = re.findall(r"the jobs write their logs to (\S+)\n", err)
    assert Path(logs).parent.is_relative_to(home / "multirun"), logs
    assert f" is gone; its job's log is in {logs}); its parameters run again" in " ".join(out.split())
    assert any("Start worker at" in file.read_text() for file in Path(logs).glob("dask-worker-*.err"))


def check_search(home: Path, folder: Path, slurm: SlurmCluster, cancels: bool) -> None:
    """Run a search of four trials by two jobs, and let that of the stuck trial end."""
    (folder / "stuck_models.py").write_text(MODEL)
    name, note = f"slurm-{folder.name}", folder / "stuck"
    words = [
        "sweep=optuna", "dataset=diabetes", "model=custom", "model.estimator._target_=stuck_models.Stuck",
        f"+model.estimator.notes={folder}", "+model.estimator.alpha=interval(0.01,10)", *UNSAVED,
        "hydra.sweeper.n_trials=4", "hydra.sweeper.n_jobs=2", f"hydra.sweeper.study_name={name}",
        "executor=dask", "executor.cluster=slurm", "executor.memory=1GB", "executor.queue=short",
        f"executor.walltime={WALLTIME}",
    ]  # fmt: skip
    paths = f"{folder}:{Path(__file__).parents[2]}"
    with start_command(home, *words, PYTHONPATH=paths, SLURM_CONF=str(slurm.settings)) as process:
        wait_until(lambda: note.exists() or process.poll() is not None, WAIT)
        assert process.poll() is None, process.communicate()
        job = note.read_text()
        nodes = slurm.list_jobs()
        assert f"TimeLimit={WALLTIME} " in slurm.run("scontrol", "show", "job", job)
        if cancels:
            slurm.run("scancel", job)
        else:  # a time limit has a minute at least, which nobody waits for
            slurm.run("scontrol", "update", f"JobId={job}", "EndTime=now")
        out, err = process.communicate(timeout=WAIT)
    assert process.returncode == 0, err
    state = "CANCELLED" if cancels else "TIMEOUT"
    assert f"JobState={state} " in slurm.run("scontrol", "show", "job", job)
    assert out.count(" is lost (the worker ") == 1
    check_logs(home, out, err)
    assert len(list_scores(home, name)) == 4
    assert [trial.user_attrs.get("void") for trial in list_trials(home, name)].count("lost") == 1
    assert set(nodes.values()) <= {"n1", "n2"}
    wait_until(lambda: not slurm.list_jobs(), WAIT)


def test_the_trial_of_a_cancelled_job_runs_again_in_the_job_that_takes_its_place(
    session_home: Path, tmp_path: Path, slurm: SlurmCluster
) -> None:
    check_search(session_home, tmp_path, slurm, cancels=True)


def test_the_trial_of_a_job_whose_time_is_over_runs_again_in_the_next_one(
    session_home: Path, tmp_path: Path, slurm: SlurmCluster
) -> None:
    check_search(session_home, tmp_path, slurm, cancels=False)

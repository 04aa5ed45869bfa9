"""Runs that are open: whose process was killed, and which session works on them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mlrunner.history.listing.entries import Entry
from mlrunner.history.listing.sweep import SweepEntry
from mlrunner.tracking import open_runs, provenance
from mlrunner.tracking.records import SWEEP_TAG, TRIAL_TAG, lookup
from mlrunner.tracking.records.liveness import describe_process
from mlrunner.tracking.records.mlflow_store import MlflowStore
from mlrunner.tracking.records.record import FOLDER_TAG, PROCESS_TAG, REOPENED_TAG, ZENML_RUN_TAG
from tests.support.mlflow_home import MlflowHome


@pytest.fixture(scope="module")
def dead() -> str:
    """The tag of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        tag = describe_process(process.pid)
        process.communicate(b"\n")
    return tag


def test_a_killed_run_is_interrupted_before_and_after_it_is_closed(mlflow_home: MlflowHome, dead: str) -> None:
    tags = (dead, f"{dead};{describe_process(os.getpid())}", "elsewhere 1 1.0", "no process", "")
    ids = [mlflow_home.add_run(status="RUNNING", **{PROCESS_TAG: tag}) for tag in tags]
    stores = (mlflow_home.store, MlflowStore(mlflow_home.client.tracking_uri))
    for close in (lambda: None, open_runs.close_dead_runs):
        close()
        for store in stores:
            records = [lookup.find_by_id(store, run_id) for run_id in ids]
            assert [record and record.status for record in records] == ["KILLED", *["RUNNING"] * 4]
    assert mlflow_home.client.get_run(ids[0]).info.status == "KILLED"
    assert mlflow_home.client.get_run(ids[0]).info.end_time is None  # which is unknown


def test_every_run_says_which_process_works_on_it(mlflow_home: MlflowHome) -> None:
    run_id = mlflow_home.add_run(status="RUNNING", **provenance.source_tags())
    open_runs.close_dead_runs()
    assert mlflow_home.client.get_run(run_id).info.status == "RUNNING"


def test_a_reopened_sweep_runs_here_and_says_since_when(mlflow_home: MlflowHome, dead: str) -> None:
    sweep = mlflow_home.add_run(status="KILLED", **{PROCESS_TAG: dead, SWEEP_TAG: "day/s", FOLDER_TAG: "/it's"})
    mlflow_home.add_run(**{SWEEP_TAG: "day/s", FOLDER_TAG: "/it's", TRIAL_TAG: "0"})
    assert open_runs.find_sweep(mlflow_home.experiments["here"], "/it's") == sweep
    assert open_runs.find_sweep(mlflow_home.experiments["here"], "/other") is None
    open_runs.reopen_run(sweep)
    run = mlflow_home.client.get_run(sweep)
    assert run.data.tags[PROCESS_TAG] == describe_process(os.getpid())
    assert (run.info.status, int(run.data.tags[REOPENED_TAG]) >= run.info.start_time) == ("RUNNING", True)


def test_an_interrupted_trial_that_ran_again_counts_once_and_is_not_pruned(mlflow_home: MlflowHome, dead: str) -> None:
    search = {SWEEP_TAG: "day/s", ZENML_RUN_TAG: "search-x"}
    for number, more in enumerate([{}, {PROCESS_TAG: dead}, {PROCESS_TAG: dead}, {}]):
        status = "RUNNING" if more else "FINISHED" if number == 0 else "KILLED"
        mlflow_home.add_run(status=status, **{**search, TRIAL_TAG: str(number), **more})
    open_runs.close_dead_runs()
    mlflow_home.add_run(**{**search, TRIAL_TAG: "1"})
    for store in (mlflow_home.store, MlflowStore(mlflow_home.client.tracking_uri)):
        counts = store.count_statuses(["day/s"])["day/s"]
        assert counts == {"FINISHED": 2, "INTERRUPTED": 1, "KILLED": 1}
        record = store.search(f"tags.`{TRIAL_TAG}` = '2'")[0]
        assert Entry(record, record, None).status == "KILLED"  # and not PRUNED
    parent = mlflow_home.store.search()[0]
    entry = SweepEntry(parent, None, None, {"FINISHED": 2, "KILLED": 1, "INTERRUPTED": 1})
    assert entry.trials == {"done": 2, "interrupted": 2}  # of a grid, whose jobs are never pruned

"""Runs that are open: reopen one, and close those whose process was killed."""

from __future__ import annotations

import time

from mlflow import MlflowClient

from mlrunner.tracking import run_log
from mlrunner.tracking.records.liveness import is_dead, join_processes
from mlrunner.tracking.records.record import (
    FOLDER_TAG,
    INTERRUPTED_TAG,
    PROCESS_TAG,
    REOPENED_TAG,
    SWEEP_TAG,
    TRIAL_TAG,
)
from mlrunner.tracking.records.store import quote


def find_sweep(experiment: str, folder: str) -> str | None:
    """Find the parent run of an earlier session of a sweep.

    Args:
        experiment: Id of the experiment.
        folder: Folder of the sweep, as it is tagged.
    """
    where = f"tags.`{FOLDER_TAG}` = {quote(folder)} and tags.`{TRIAL_TAG}` IS NULL and tags.`{SWEEP_TAG}` IS NOT NULL"
    return next((str(run.info.run_id) for run in MlflowClient().search_runs([experiment], where, max_results=1)), None)


def reopen_run(run_id: str) -> None:
    """Mark a run as running again in this process, and tag it with the time: MLflow keeps its first start time."""
    processes = join_processes(run_log.read_tags(run_id).get(PROCESS_TAG, ""))
    run_log.set_tags(run_id, {REOPENED_TAG: str(int(time.time() * 1000)), PROCESS_TAG: processes})
    MlflowClient().update_run(run_id, "RUNNING")


def close_dead_runs() -> None:
    """Close the runs that a killed process of this machine left open; they get no end time, which is unknown."""
    client = MlflowClient()
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    where = f"attributes.status = 'RUNNING' and tags.`{PROCESS_TAG}` != ''"
    for run in client.search_runs(experiments, where):
        if is_dead(run.info.status, run.data.tags):
            interrupt_run(run.info.run_id)


def interrupt_run(run_id: str) -> None:
    """Close a run whose process has ended."""
    run_log.set_tags(run_id, {INTERRUPTED_TAG: "true"})
    MlflowClient().update_run(run_id, "KILLED")

"""The runs of a sweep in MLflow, found by their parent."""

from __future__ import annotations

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from mlrunner.tracking.records.record import INTERRUPTED_TAG, PARENT_TAG, TRIAL_TAG, WINNER_OF_TAG, ZENML_RUN_TAG


def list_running(parent: str) -> dict[str, str]:
    """List the runs of a sweep that are not closed: the name of ZenML's run by id, empty if it has no such run."""
    runs = _search(parent, "attributes.status = 'RUNNING'")
    return {str(run.info.run_id): str(run.data.tags.get(ZENML_RUN_TAG, "")) for run in runs}


def delete_trial(parent: str, number: int) -> None:
    """Delete the runs of a trial, but not those of its refit."""
    for run in _search(parent, f"tags.`{TRIAL_TAG}` = '{number}'"):
        if WINNER_OF_TAG not in run.data.tags:
            MlflowClient().delete_run(run.info.run_id)


def list_recorded(parent: str) -> dict[int, tuple[str, str]]:
    """List the trials of a search whose runs are written to their end: id and name of the run by number."""
    runs = [run for run in _search(parent, f"tags.`{TRIAL_TAG}` IS NOT NULL") if run.info.status != "RUNNING"]
    return {
        int(run.data.tags[TRIAL_TAG]): (str(run.info.run_id), str(run.info.run_name))
        for run in runs
        if not {WINNER_OF_TAG, INTERRUPTED_TAG} & set(run.data.tags)
    }


def _search(parent: str, condition: str) -> list[Run]:
    experiment = MlflowClient().get_run(parent).info.experiment_id
    where = f"tags.{PARENT_TAG} = '{parent}' and {condition}"
    return mlflow.search_runs([experiment], where, output_format="list")  # page by page


def read_status(run_id: str) -> str | None:
    """Read MLflow's status of a run; None where it was deleted."""
    try:
        info = MlflowClient().get_run(run_id).info
    except MlflowException:
        return None
    return str(info.status) if info.lifecycle_stage == "active" else None

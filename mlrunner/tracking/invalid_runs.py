"""Which runs are tagged as invalid: `mlrunner tag RUN invalid=REASON`."""

from __future__ import annotations

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from mlrunner.tracking import run_log
from mlrunner.tracking.records.record import INVALID_TAG, PARENT_TAG, TRIAL_TAG, WINNER_OF_TAG


def read_invalid(run_id: str) -> str | None:
    """Read the reason why a run is invalid; None where it is valid or no longer in the store."""
    try:
        return run_log.read_tags(run_id).get(INVALID_TAG)
    except MlflowException:
        return None


def list_invalid_trials(parent: str) -> dict[str, str]:
    """List the trials of a sweep whose run, or whose refit as the winner, is invalid.

    Returns:
        Reason by number of the trial.
    """
    client = MlflowClient()
    experiment = client.get_run(parent).info.experiment_id
    runs = client.search_runs([experiment], f"tags.{PARENT_TAG} = '{parent}' and tags.`{INVALID_TAG}` != ''")
    trials = {}
    for run in runs:
        tags = run.data.tags
        source = run_log.read_tags(tags[WINNER_OF_TAG]) if WINNER_OF_TAG in tags else tags
        if TRIAL_TAG in source:
            trials[source[TRIAL_TAG]] = tags[INVALID_TAG]
    return trials

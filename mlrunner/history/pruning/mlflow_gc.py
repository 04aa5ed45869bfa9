"""Run `mlflow gc` on some runs and models, and on nothing else that is marked as deleted."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from uuid import uuid4

import mlflow
from mlflow import MlflowClient
from mlflow.entities import ViewType

PLACEHOLDER = "mlrunner-prune-"  # prefix of an experiment's name


def collect(client: MlflowClient, runs: Sequence[str] = (), models: Sequence[str] = ()) -> None:
    """Remove runs and models for good that are marked as deleted.

    Without ids of a kind, `mlflow gc` collects everything of that kind, also what a user deleted and may restore.
    A placeholder of each kind prevents that.

    Args:
        client: Client of the store, whose database is within reach.
        runs: Ids of runs.
        models: Ids of logged models.

    Raises:
        MlflowException: When one of them does not exist, or its files cannot be removed.
    """
    from mlflow.cli import gc  # takes a second

    experiment = client.create_experiment(f"{PLACEHOLDER}{uuid4().hex}")
    model = client.create_logged_model(experiment).model_id
    run = client.create_run(experiment).info.run_id
    client.delete_logged_model(model)
    client.delete_run(run)
    client.delete_experiment(experiment)
    where = f"name LIKE '{PLACEHOLDER}%'"
    placeholders = client.search_experiments(ViewType.DELETED_ONLY, filter_string=where)
    options = {
        "--tracking-uri": mlflow.get_tracking_uri(),  # the default is the environment's at the import
        "--experiment-ids": ",".join(placeholder.experiment_id for placeholder in placeholders),
        "--logged-model-ids": ",".join([model, *models]),
        "--run-ids": ",".join([run, *runs]),
    }
    with contextlib.redirect_stdout(io.StringIO()):
        gc.main([word for option in options.items() for word in option], prog_name="mlflow", standalone_mode=False)

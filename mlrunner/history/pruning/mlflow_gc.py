"""Run `mlflow gc` on some runs and models, and on nothing else that is marked as deleted."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from functools import cache
from uuid import uuid4

import mlflow
from mlflow import MlflowClient
from mlflow.entities import LoggedModel, Run, ViewType
from mlflow.exceptions import MlflowException
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from mlrunner.tracking.records import MODEL_TAG, SWEEP_TAG, TRIAL_TAG
from mlrunner.tracking.records.artifact_location import refuse_foreign_folder

PLACEHOLDER = "mlrunner-prune-"  # prefix of an experiment's name
MISSING = "RESOURCE_DOES_NOT_EXIST"  # MLflow's code


def refuse_foreign_files(client: MlflowClient, run: Run) -> list[str]:
    """Refuse a run when its files or its models lie outside of their experiment: `mlflow gc` removes any folder.

    Args:
        client: Client of the store, whose database is within reach.
        run: Run, which may be marked as deleted.

    Returns:
        Ids of its models that exist.

    Raises:
        StoreError: When the store says that the files of one lie elsewhere.
    """
    models = [model for model in map(_find_model, list_models(run)) if model is not None]
    places = [(run.info.experiment_id, run.info.run_id, run.info.artifact_uri)]
    places += [(model.experiment_id, model.model_id, model.artifact_location) for model in models]
    for experiment, name, location in places:
        refuse_foreign_folder(name, location, client.get_experiment(experiment).artifact_location)
    return [model.model_id for model in models]


def _find_model(model_id: str) -> LoggedModel | None:
    """Find a model that may be marked as deleted, which the client does not show."""
    try:
        model: LoggedModel = _open_database(mlflow.get_tracking_uri()).get_logged_model(model_id, allow_deleted=True)
    except MlflowException as error:
        if error.error_code != MISSING:
            raise
        return None
    return model


@cache
def _open_database(uri: str) -> SqlAlchemyStore:
    return SqlAlchemyStore(uri, "")  # type: ignore[no-untyped-call]  # "" is a place for new experiments


def collect(client: MlflowClient, run: Run) -> None:
    """Remove a run and its models for good, all of which are marked as deleted.

    First the models, which are found by the run; an interrupted removal may have collected some of them.

    Raises:
        MlflowException: When the run does not exist, or files cannot be removed.
        StoreError: When the files of one lie outside of its experiment.
    """
    if models := refuse_foreign_files(client, run):
        collect_only(client, models=models)
    collect_only(client, runs=[run.info.run_id])


def collect_only(client: MlflowClient, runs: Sequence[str] = (), models: Sequence[str] = ()) -> None:
    """Remove some runs and models that are marked as deleted, and no others.

    Without ids of a kind, `mlflow gc` collects everything of that kind, also what a user deleted and may restore.
    A placeholder of each kind prevents that.
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


def list_models(run: Run) -> list[str]:
    """List the ids of a run's models, also of one that was reserved and not saved; a sweep names its winner's."""
    outputs = [] if run.outputs is None else [model.model_id for model in run.outputs.model_outputs]
    is_sweep = SWEEP_TAG in run.data.tags and TRIAL_TAG not in run.data.tags
    reserved = "" if is_sweep else run.data.tags.get(MODEL_TAG, "").rpartition("/")[2]
    return sorted({*outputs, reserved} - {""})

"""Remove a run from MLflow for good: its files, its models, its rows.

A store behind a server marks a run as deleted and no more; where we are at the database, what `mlflow gc` does is
done at once. The rows go last, so that a removal that was interrupted is found again.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, Run
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.tracking.dbmodels.models import SqlInput, SqlInputTag
from mlflow.tracking._tracking_service import utils

from mlrunner.history.pruning import MARK
from mlrunner.history.pruning.files import local


class Tracked:
    """MLflow's side of a prune.

    Args:
        deployments: The folder of all deployments, which keep copies of what they served.
    """

    def __init__(self, deployments: Path) -> None:
        self.deployments = deployments
        self.client = MlflowClient()
        service: Any = utils
        self.store: Any = service._get_store()

    @property
    def is_for_good(self) -> bool:
        """Whether rows can be deleted, and not only marked."""
        return hasattr(self.store, "_hard_delete_run")

    def mark(self, run_id: str) -> None:
        """Note that the removal of a run has begun."""
        self.client.set_tag(run_id, MARK, "begun")

    def remove(self, run_id: str) -> None:
        """Remove a run, its models and the versions of the registry that nobody can serve then."""
        run = self.client.get_run(run_id)
        for version in self.client.search_model_versions(f"run_id = '{run_id}'"):
            if not (self.deployments / version.name / "releases" / str(version.version)).exists():
                self.client.delete_model_version(version.name, version.version)
        for model in self._models(run):
            self._remove_model(model)
        if not self.is_for_good:
            self.client.delete_run(run_id)
            return
        _remove_files(str(run.info.artifact_uri))
        self._remove_inputs(run_id)
        self.store._hard_delete_run(run_id)  # not marked before: what is marked is found no more

    def _models(self, run: Run) -> list[LoggedModel]:
        where = f"source_run_id = '{run.info.run_id}'"
        return list(self.client.search_logged_models([run.info.experiment_id], where))

    def _remove_model(self, model: LoggedModel) -> None:
        if not self.is_for_good:
            self.client.delete_logged_model(model.model_id)
            return
        _remove_files(str(model.artifact_location))
        self.store._hard_delete_logged_model(model.model_id)

    def _remove_inputs(self, run_id: str) -> None:
        """Remove the links to data sets and models, which MLflow's own deletion leaves behind."""
        with self.store.ManagedSessionMaker(read_only=False) as session:
            ours = session.query(SqlInput.input_uuid).filter(
                (SqlInput.destination_id == run_id) | (SqlInput.source_id == run_id)
            )
            ids = [one for (one,) in ours]
            for table in (SqlInputTag, SqlInput):
                session.query(table).filter(table.input_uuid.in_(ids)).delete(synchronize_session=False)


def _remove_files(uri: str) -> None:
    """Remove the files at an address, and the folder around them that MLflow leaves empty."""
    folder = local(uri)
    if folder is None or folder.exists():
        repository: Any = get_artifact_repository(uri)
        repository.delete_artifacts()
    if folder is not None:
        with suppress(OSError):
            folder.parent.rmdir()

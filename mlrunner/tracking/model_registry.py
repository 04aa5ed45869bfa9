"""MLflow's model registry: versions of a deployment's model, and the aliases `champion` and `challenger`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from mlrunner.core.errors import DeployError

CHAMPION, CHALLENGER = "champion", "challenger"


def register(name: str, uri: str, run_id: str, tags: dict[str, str]) -> int:
    """Find the version that a saved model has, or make the next one.

    Args:
        name: Of the registered model, which is made when there is none.
        uri: MLflow's `models:/m-<id>`.
        run_id: That made it.
        tags: Of the version.

    Returns:
        The version's number.
    """
    client = MlflowClient()
    try:
        client.get_registered_model(name)
    except MlflowException:
        client.create_registered_model(name)
    for found in client.search_model_versions(f"name = '{name}'"):
        if found.source == uri:
            return _tagged(client, found, tags)
    return _tagged(client, client.create_model_version(name, uri, run_id, model_id=uri.rpartition("/")[2]), tags)


def _tagged(client: MlflowClient, version: ModelVersion, tags: dict[str, str]) -> int:
    for key, value in tags.items():
        client.set_model_version_tag(version.name, version.version, key, value)
    return int(version.version)


def load(uri: str) -> Any:
    """Load a saved pipeline.

    Raises:
        DeployError: When it is not there, or cannot be read.
    """
    try:
        return mlflow.sklearn.load_model(uri)
    except Exception as error:  # whatever the store, skops or a class that is gone says
        told = str(error).splitlines()[0]
        raise DeployError(
            f"The model {uri} cannot be loaded ({type(error).__name__}: {told}); name another run."
        ) from error


def download(uri: str, folder: Path) -> Path:
    """Copy a saved model out of the store.

    Returns:
        The folder that holds its `MLmodel`.
    """
    return Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(folder)))


def set_alias(name: str, alias: str, version: int) -> None:
    """Point an alias at a version."""
    MlflowClient().set_registered_model_alias(name, alias, str(version))


def drop_alias(name: str, alias: str) -> None:
    """Remove an alias; one that is not there is fine."""
    MlflowClient().delete_registered_model_alias(name, alias)


def version_of(name: str, alias: str = CHAMPION) -> ModelVersion | None:
    """Find the version that an alias points at, or None."""
    try:
        return MlflowClient().get_model_version_by_alias(name, alias)
    except MlflowException:
        return None


def source_of(name: str, version: int) -> tuple[str, str]:
    """Find the model's address and the run of a version."""
    found = MlflowClient().get_model_version(name, str(version))
    return str(found.source), str(found.run_id)

"""MLflow's model registry: versions of a deployment's model, and the aliases `champion` and `challenger`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from mlrunner.core.errors import DeployError, first_line

CHAMPION, CHALLENGER = "champion", "challenger"


def register(name: str, uri: str, run_id: str, tags: dict[str, str]) -> int:
    """Register a saved model; a model that is registered already keeps its version.

    Args:
        name: Name of the registered model, which is created if it does not exist.
        uri: URI of the saved model, `models:/m-<id>`.
        run_id: Id of the run that saved it.
        tags: Tags to set on the version.

    Returns:
        Number of the version.
    """
    client = MlflowClient()
    try:
        client.get_registered_model(name)
    except MlflowException:
        client.create_registered_model(name)
    for version in client.search_model_versions(f"name = '{name}'"):
        if version.source == uri:
            return _set_tags(client, version, tags)
    version = client.create_model_version(name, uri, run_id, model_id=uri.rpartition("/")[2])
    return _set_tags(client, version, tags)


def _set_tags(client: MlflowClient, version: ModelVersion, tags: dict[str, str]) -> int:
    for key, value in tags.items():
        client.set_model_version_tag(version.name, version.version, key, value)
    return int(version.version)


def load_model(uri: str) -> Any:
    """Load a saved pipeline.

    Raises:
        DeployError: If it does not exist or cannot be read.
    """
    try:
        return mlflow.sklearn.load_model(uri)
    except Exception as error:  # stores, skops and missing classes raise errors of many kinds
        reason = f"{type(error).__name__}: {first_line(error)}"
        raise DeployError(f"The model {uri} cannot be loaded ({reason}); name another run.") from error


def download_model(uri: str, folder: Path) -> Path:
    """Download a saved model.

    Returns:
        Folder that holds its `MLmodel`.
    """
    return Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(folder)))


def set_alias(name: str, alias: str, version: int) -> None:
    """Point an alias at a version."""
    MlflowClient().set_registered_model_alias(name, alias, str(version))


def delete_alias(name: str, alias: str) -> None:
    """Delete an alias, if it exists."""
    MlflowClient().delete_registered_model_alias(name, alias)


def get_version(name: str, alias: str = CHAMPION) -> ModelVersion | None:
    """Return the version that an alias points at, or None."""
    try:
        return MlflowClient().get_model_version_by_alias(name, alias)
    except MlflowException:
        return None

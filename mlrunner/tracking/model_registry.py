"""MLflow's model registry: versions of a deployment's model, and the aliases `champion` and `challenger`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from mlrunner.core import saved_model
from mlrunner.core.errors import MlrunnerError, StoreError, first_line
from mlrunner.core.failed_writes import explain_full_disk
from mlrunner.tracking.records.artifact_location import refuse_foreign_host

CHAMPION, CHALLENGER = "champion", "challenger"
ADDRESS = re.compile(r"models:/(?P<id>m-\w+)|models:/[^/?#@]+/\d+")


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


def load_model(uri: str, packages: Iterable[str] = ()) -> Any:
    """Load a saved pipeline.

    Args:
        uri: Address `models:/m-ID` or `models:/NAME/VERSION`.
        packages: Modules whose types it may hold, see `core.saved_model.read_description`.

    Raises:
        StoreError: If it does not exist, cannot be read, or holds types that are not trusted.
    """
    return saved_model.load(download_model(uri), uri, packages)


def download_model(uri: str, folder: Path | None = None) -> Path:
    """Download a saved model.

    Args:
        uri: Address `models:/m-ID` or `models:/NAME/VERSION`.
        folder: Existing folder for the files; None reads those of a local store where they are.

    Returns:
        Folder that holds its `MLmodel`.

    Raises:
        StoreError: If it does not exist or cannot be read.
    """
    try:
        refuse_foreign_model(uri)
        return Path(mlflow.artifacts.download_artifacts(uri, dst_path=None if folder is None else str(folder)))
    except Exception as error:  # each kind of store raises its own errors
        if (full_disk := explain_full_disk(error)) is not None:
            raise full_disk from error
        reason = str(error) if isinstance(error, MlrunnerError) else f"{type(error).__name__}: {first_line(error)}"
        raise StoreError(f"The model {uri} cannot be read from its store ({reason}); choose another run.") from error


def refuse_foreign_model(uri: str) -> None:
    """Refuse a model whose files lie on another server, which would be sent the login of the tracking server.

    Raises:
        StoreError: If they do, or the address is not one of a model.
        MlflowException: If there is no such model.
    """
    if (match := ADDRESS.fullmatch(uri)) is None:
        raise StoreError("it is no address like models:/m-ID")
    client = MlflowClient()
    model = match["id"] or client.get_model_version(*uri.removeprefix("models:/").split("/")).model_id
    if model is not None:
        refuse_foreign_host(str(client.get_logged_model(model).artifact_location), mlflow.get_tracking_uri())


def set_alias(name: str, alias: str, version: int | None) -> None:
    """Point an alias at a version; None deletes it."""
    if version is not None:
        MlflowClient().set_registered_model_alias(name, alias, str(version))
    elif get_version(name, alias) is not None:
        MlflowClient().delete_registered_model_alias(name, alias)


def get_version(name: str, alias: str = CHAMPION) -> ModelVersion | None:
    """Return the version that an alias points at, or None."""
    try:
        return MlflowClient().get_model_version_by_alias(name, alias)
    except MlflowException:
        return None

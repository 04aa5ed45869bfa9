"""Open the ZenML and MLflow stores of this process, making what is not there yet, once and under a lock.

Both break when several processes make them at once (ZenML fails, MLflow leaves an unusable database), so
making them is serialised; afterwards any number of processes may use them.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any
from uuid import UUID

import mlflow
from filelock import FileLock
from mlflow.exceptions import MlflowException
from sqlalchemy import event
from zenml.client import Client
from zenml.enums import StackComponentType as Part
from zenml.integrations.registry import integration_registry
from zenml.models import ComponentResponse
from zenml.utils import source_utils
from zenml.zen_stores.sql_zen_store import SqlZenStore

from mlrunner.errors import StoreError

TRACKER, DEPLOYER, REGISTRY = "mlflow_tracker", "mlflow_deployer", "mlflow_registry"


def open_stores(lock: Path, stack_name: str, register: bool) -> None:
    """Open both stores and activate the stack for this process only.

    Args:
        lock: The file that serialises the making.
        stack_name: ZenML's name of the stack.
        register: Whether to register the stack and its components when they are absent.

    Raises:
        StoreError: When a store cannot be opened, or the stack is not there.
    """
    with FileLock(lock):
        try:
            client = Client()
            lighten(client)
            stack = _register(client, stack_name) if register else client.get_stack(stack_name).id
            mlflow.MlflowClient().search_experiments(max_results=1)
        except KeyError as error:
            raise StoreError(
                f"stack.name={stack_name} is not a stack of {os.environ.get('ZENML_STORE_URL')}."
            ) from error
        except (OSError, RuntimeError, MlflowException) as error:
            raise StoreError(f"A store does not open: {str(error).splitlines()[0]}; see stack.* and -v.") from error
    os.environ["ZENML_ACTIVE_STACK_ID"] = str(stack)


def lighten(client: Client) -> None:
    """Leave out what ZenML does beside the work.

    Each run imports every integration that happens to be installed (xgboost, lightgbm, catboost: seconds);
    only MLflow's is in our stack. Write-ahead logging spares a disk flush a commit.
    """
    if os.environ.get("MLRUNNER_VERBOSE") != "1":
        logging.getLogger("mlflow").setLevel(logging.ERROR)
    source_utils.set_custom_source_root(os.environ["MLRUNNER_PROJECT"])
    for name in set(integration_registry.integrations) - {"mlflow"}:
        del integration_registry.integrations[name]
    store = client.zen_store
    if isinstance(store, SqlZenStore) and store.engine.dialect.name == "sqlite":
        event.listen(store.engine, "connect", _write_ahead)
        store.engine.dispose()


def _write_ahead(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _register(client: Client, name: str) -> UUID:
    uri = os.environ["MLFLOW_TRACKING_URI"]
    tracker = _component(client, Part.EXPERIMENT_TRACKER, TRACKER, {"tracking_uri": uri})
    deployer = _component(client, Part.MODEL_DEPLOYER, DEPLOYER, {})
    registry = _component(client, Part.MODEL_REGISTRY, REGISTRY, {})
    try:
        return client.get_stack(name, allow_name_prefix_match=False).id
    except KeyError:
        parts: dict[Part, str | UUID] = {
            Part.ORCHESTRATOR: "default",
            Part.ARTIFACT_STORE: "default",
            Part.EXPERIMENT_TRACKER: tracker.id,
            Part.MODEL_DEPLOYER: deployer.id,
            Part.MODEL_REGISTRY: registry.id,
        }
        return client.create_stack(name, parts).id


def _component(client: Client, kind: Part, name: str, settings: dict[str, str]) -> ComponentResponse:
    try:
        found = client.get_stack_component(kind, name, allow_name_prefix_match=False)
    except KeyError:
        return client.create_stack_component(name, "mlflow", kind, settings)
    if any(found.configuration.get(key) != value for key, value in settings.items()):
        return client.update_stack_component(name, kind, configuration=settings)
    return found

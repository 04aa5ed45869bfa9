"""Open the ZenML and MLflow stores of this process, making what is not there yet, once and under a lock.

Both break when several processes make them at once (ZenML fails, MLflow leaves an unusable database), so
making them is serialised; afterwards any number of processes may use them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import mlflow
from filelock import FileLock
from mlflow.exceptions import MlflowException
from sqlalchemy import event
from zenml.client import Client
from zenml.exceptions import AuthorizationException, ZenMLBaseException
from zenml.integrations.registry import integration_registry
from zenml.utils import source_utils
from zenml.zen_stores.sql_zen_store import SqlZenStore

from mlrunner.core.errors import StoreError, brief, nearest
from mlrunner.groups.stack import components, zenml_patches
from mlrunner.groups.stack.preflight import refuse_file_store
from mlrunner.groups.stack.reachability import is_remote, without_login

IMPATIENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}  # 7 and 120 s otherwise
REFUSED = ("UNAUTHENTICATED", "PERMISSION_DENIED")


@cache
def open_stores(lock: Path, stack_name: str, register: bool, follow: bool) -> None:
    """Open both stores and activate the stack for this process only; the second call of a process does nothing.

    Args:
        lock: The file that serialises the making.
        stack_name: ZenML's name of the stack.
        register: Whether to register the stack and its components when they are absent.
        follow: Whether the stack's own MLflow tracker says where MLflow's store is.

    Raises:
        StoreError: When a store cannot be opened, or the stack is not there.
    """
    with FileLock(lock):
        with _sentences_of_zenml():
            client = Client()
            lighten(client)
            stack = components.register(client, stack_name) if register else _find(client, stack_name)
            if follow and components.follow_tracker(client, stack):
                refuse_file_store(os.environ["MLFLOW_TRACKING_URI"])
        _greet_mlflow()
    os.environ["ZENML_ACTIVE_STACK_ID"] = str(stack)


@contextmanager
def _sentences_of_zenml() -> Iterator[None]:
    try:
        yield
    except AuthorizationException as error:
        raise StoreError(
            f"stack.api_key is not accepted by {_zenml_server()} ({_first_line(error)}); give the key of a service "
            "account of that server, or set ZENML_STORE_API_KEY."
        ) from error
    except (OSError, RuntimeError, ValueError, ZenMLBaseException) as error:
        raise StoreError(f"ZenML's store does not open: {_first_line(error)}; see stack.* and -v.") from error


def _greet_mlflow() -> None:
    """Ask MLflow for something, with an end to its patience: its own retries take minutes."""
    said = {name: value for name, value in IMPATIENT.items() if name not in os.environ}
    os.environ.update(said)
    try:
        mlflow.MlflowClient().search_experiments(max_results=1)
    except (OSError, MlflowException) as error:
        raise _not_opened(error) from error
    finally:
        for name in said:
            del os.environ[name]


def _not_opened(error: Exception) -> StoreError:
    uri = without_login(os.environ["MLFLOW_TRACKING_URI"])
    refused = getattr(error, "error_code", None) in REFUSED or "error code 401" in str(error)
    if is_remote(uri) and refused:
        return StoreError(
            f"stack.tracking_uri={uri} does not accept stack.username and stack.password, or stack.token; correct "
            "them, or set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD."
        )
    return StoreError(f"stack.tracking_uri={uri} does not open: {_first_line(error)}; see -v.")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".;:")


def _zenml_server() -> str:
    return without_login(os.environ.get("ZENML_STORE_URL", "the embedded ZenML"))


def _find(client: Client, name: str) -> UUID:
    try:
        return client.get_stack(name, allow_name_prefix_match=False).id
    except KeyError as error:
        known = [stack.name for stack in client.list_stacks(size=100)]
        raise StoreError(
            f"stack.name={name} is not a stack of {_zenml_server()}, which has {brief(known)}.{nearest(name, known)}"
        ) from error


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
    zenml_patches.remember()
    store = client.zen_store
    if isinstance(store, SqlZenStore) and store.engine.dialect.name == "sqlite":
        event.listen(store.engine, "connect", _write_ahead)
        store.engine.dispose()


def _write_ahead(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")

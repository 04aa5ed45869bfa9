"""Open the ZenML and MLflow stores of this process, and create them under a lock when they are absent.

Both break when several processes create them at once (ZenML fails, MLflow leaves an unusable database). Once they
exist, any number of processes may use them.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import mlflow
from alembic.util import CommandError
from filelock import FileLock
from mlflow.exceptions import MlflowException
from sqlalchemy import event
from zenml.client import Client
from zenml.config.global_config import GlobalConfiguration
from zenml.exceptions import AuthorizationException, ZenMLBaseException
from zenml.utils import source_utils
from zenml.zen_stores.sql_zen_store import SqlZenStore

from mlrunner.core import environment
from mlrunner.core.errors import StoreError, brief, first_line, nearest
from mlrunner.groups.stack import components, schema, zenml_patches
from mlrunner.groups.stack.object_store import ObjectStore
from mlrunner.groups.stack.preflight import refuse_file_store
from mlrunner.groups.stack.reachability import is_remote, remove_login
from mlrunner.tracking import open_runs, outage
from mlrunner.tracking.background_writer import silence_database_log

FEW_RETRIES = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}  # 7 and 120 s otherwise
MLFLOW_DATABASE = "mlflow.db"  # in the folder of the lock, as `conf/stack` has it
LOGIN_ERRORS = ("UNAUTHENTICATED", "PERMISSION_DENIED")


@cache
def open_stores(
    lock: Path, stack_name: str, register: bool, follow: bool, artifacts: ObjectStore | None = None
) -> None:
    """Open both stores and activate the stack for this process; a second call does nothing.

    Args:
        lock: Lock file that serialises the creation.
        stack_name: ZenML's name of the stack.
        register: Whether to register the stack and its components when they are absent.
        follow: Whether to take MLflow's address from the stack's own tracker.
        artifacts: Object store for the artifacts of a stack that is registered; None keeps them in a folder.

    Raises:
        StoreError: When a store cannot be opened, or the stack does not exist.
    """
    if artifacts is not None:
        artifacts.check_access()
    with FileLock(lock):
        with _zenml_errors():
            client = Client()
            reduce_zenml_overhead(client)
            stack = (
                components.register_stack(client, stack_name, artifacts)
                if register
                else _find_stack(client, stack_name)
            )
            if follow and components.follow_tracker(client, stack):
                refuse_file_store(environment.tracking_uri() or "")
        _write_ahead_in_mlflow(lock.parent / MLFLOW_DATABASE)
        _check_mlflow()
    with suppress(MlflowException):  # a store that can only be read
        open_runs.close_dead_runs()
    environment.set_variables({"ZENML_ACTIVE_STACK_ID": str(stack)})


@contextmanager
def _zenml_errors() -> Iterator[None]:
    try:
        yield
    except AuthorizationException as error:
        raise StoreError(
            f"stack.api_key is not accepted by {_zenml_server()} ({first_line(error)}); give the key of a service "
            "account of that server, or set ZENML_STORE_API_KEY."
        ) from error
    except (OSError, RuntimeError, ValueError, CommandError, ZenMLBaseException) as error:
        sentence = schema.explain_zenml_revision(error)
        raise StoreError(
            sentence or f"ZenML's store does not open: {first_line(error)}; see stack.* and -v."
        ) from error


def _check_mlflow() -> None:
    """Send MLflow one request, with few retries: its own take minutes; an older database is upgraded."""
    with environment.temporary_variables(**FEW_RETRIES):
        try:
            mlflow.MlflowClient().search_experiments(max_results=1)
        except (OSError, MlflowException) as error:
            if not schema.upgrade_mlflow(environment.tracking_uri() or "", error):
                raise _explain_mlflow_error(error) from error


def _explain_mlflow_error(error: Exception) -> StoreError:
    uri = remove_login(environment.tracking_uri() or "")
    is_refused = getattr(error, "error_code", None) in LOGIN_ERRORS or "error code 401" in str(error)
    if is_remote(uri) and is_refused:
        return StoreError(
            f"stack.tracking_uri={uri} does not accept stack.username and stack.password, or stack.token; correct "
            "them, or set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD."
        )
    return StoreError(f"stack.tracking_uri={uri} does not open: {first_line(error)}; see -v.")


def _zenml_server() -> str:
    return remove_login(environment.zenml_url() or "the embedded ZenML")


def _find_stack(client: Client, name: str) -> UUID:
    try:
        return client.get_stack(name, allow_name_prefix_match=False).id
    except KeyError as error:
        names = [stack.name for stack in client.list_stacks(size=100)]
        raise StoreError(
            f"stack.name={name} is not a stack of {_zenml_server()}, which has {brief(names)}.{nearest(name, names)}"
        ) from error


def reduce_zenml_overhead(client: Client) -> None:
    """Skip work of ZenML that a run does not need, and what loses data when a signal comes.

    Write-ahead logging saves disk flushes at each commit.
    """
    if not environment.is_verbose():
        logging.getLogger("mlflow").setLevel(logging.ERROR)
    outage.announce_waiting()
    silence_database_log()
    source_utils.set_custom_source_root(str(environment.project()))
    zenml_patches.remove_other_integrations()
    zenml_patches.cache_constant_answers()
    zenml_patches.disable_signal_handling()
    zenml_patches.skip_lost_artifacts()
    with zenml_patches.finished_migrations_skipped(GlobalConfiguration().store_configuration.url):
        store = client.zen_store
    if isinstance(store, SqlZenStore) and store.engine.dialect.name == "sqlite":
        event.listen(store.engine, "connect", _write_ahead)
        store.engine.dispose()


def _write_ahead_in_mlflow(database: Path) -> None:
    """Switch the project's own MLflow database to write-ahead logging, which the file remembers.

    A commit then needs one disk flush instead of three, and readers do not wait for writers.
    """
    if environment.tracking_uri() != f"sqlite:///{database}":
        return  # a database of others
    with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as connection:  # one that can only be read
        connection.execute("PRAGMA journal_mode=WAL")


def _write_ahead(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")

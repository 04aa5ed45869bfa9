"""Decide how the steps of a pipeline find stores and files when they run in containers, or refuse it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from zenml.client import Client

from mlrunner.core import environment, one_step
from mlrunner.core.errors import ConfigError
from mlrunner.core.redaction import redact
from mlrunner.core.uris import has_scheme
from mlrunner.groups.stack import Stack, components, variables
from mlrunner.groups.stack.orchestrator import Orchestrator, find_orchestrator
from mlrunner.groups.stack.reachability import is_remote, remove_login

SQLITE = "sqlite:///"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
LOGIN = tuple(f"MLFLOW_TRACKING_{name.upper()}" for name in components.LOGIN_SETTINGS)


@dataclass(frozen=True)
class Uses:
    """Files of this machine that the steps of a pipeline use.

    Args:
        read: Paths of files, folders and globs that are read.
        written: Folders in which files are written.
    """

    read: tuple[str, ...] = ()
    written: tuple[str, ...] = ()


@dataclass(frozen=True)
class Placement:
    """Where and how the steps of a pipeline run.

    Args:
        orchestrator: Orchestrator that runs them.
        stack: Stack of the composition.
        variables: Variables of the environment of each step; ZenML records them, so they hold no secret.
        mounts: Access, `rw` or `ro`, by folder or file of this machine that the containers see at the same path.
    """

    orchestrator: Orchestrator
    stack: Stack
    variables: Mapping[str, str]
    mounts: Mapping[str, str]


def place_steps(stack: Stack, uses: Uses) -> Placement | None:
    """Decide how the steps of a pipeline run on the active stack.

    Returns:
        None when the steps run in this process.

    Raises:
        ConfigError: When a step could not reach MLflow or a file.
    """
    orchestrator = find_orchestrator()
    if orchestrator is None:
        return None
    read = [_find_root(path) for path in uses.read]
    written = [Path(path).absolute() for path in [*_list_stores(stack), *uses.written]]
    if not orchestrator.is_local_docker:
        _refuse_local(orchestrator, [*read, *written])
    mounts = {**{str(path): "ro" for path in read}, **{str(path): "rw" for path in written}}
    for path in written:
        path.mkdir(parents=True, exist_ok=True)  # the engine would make it, as root
    return Placement(orchestrator, stack, _collect_variables(orchestrator, stack), mounts)


def _list_stores(stack: Stack) -> Iterable[str]:
    """List the folders of this machine that hold the stores."""
    uri = environment.tracking_uri() or ""
    if uri.startswith(SQLITE):
        yield str(Path(uri.removeprefix(SQLITE)).parent)
    if stack.artifact_location is not None and not has_scheme(stack.artifact_location):
        yield stack.artifact_location


def _find_root(path: str) -> Path:
    """Return the file of a path, or the folder above the first part of a glob."""
    root = Path(path).absolute()
    while any(sign in str(root) for sign in "*?["):
        root = root.parent
    return root


def _refuse_local(orchestrator: Orchestrator, paths: list[Path]) -> None:
    if paths:
        raise ConfigError(
            f"{orchestrator} runs steps on other machines, which do not see {paths[0]}; put data and stores where each "
            "machine reaches them: dataset.path=s3://…, an MLflow server, deployer=none."
        )


def _collect_variables(orchestrator: Orchestrator, stack: Stack) -> dict[str, str]:
    store = {} if stack.object_store is None else stack.object_store.variables
    return {
        **variables.common_variables(),
        **store,
        **one_step.variables(),
        **_locate_mlflow(orchestrator),
    }


def _locate_mlflow(orchestrator: Orchestrator) -> dict[str, str]:
    """Return MLflow's address; nothing where it needs a login, which steps take from the tracker of the stack."""
    uri = environment.tracking_uri() or ""
    shown = remove_login(uri)
    is_host_network = orchestrator.settings.get("run_args", {}).get("network_mode") == "host"
    if urlsplit(uri).hostname in LOOPBACK and not is_host_network:
        raise ConfigError(
            f"stack.tracking_uri={shown} is an address of this machine alone, which containers of {orchestrator} do "
            "not reach; give MLflow's server an address in the network."
        )
    has_login = redact(uri) != uri or (is_remote(uri) and any(environment.variable(name) for name in LOGIN))
    if not has_login:
        return {environment.TRACKING_VARIABLE: uri}
    client = Client()
    tracker = components.find_tracker(client, client.active_stack_model.id)
    if tracker is None or remove_login(str(tracker.config.tracking_uri)) != shown:
        raise ConfigError(
            f"stack.tracking_uri={shown} needs a login, which no record may hold; give {orchestrator} an MLflow "
            "experiment tracker with this address and the login."
        )
    return {}


def require_plain(dataset: dict[str, Any], hidden: dict[str, Any]) -> dict[str, Any]:
    """Return a data set for a step in a container, which finds no secret in the memory of this process.

    Args:
        dataset: Resolved config group `dataset`.
        hidden: The same group as it is recorded.

    Raises:
        ConfigError: When a value is a secret, or comes from a variable of the environment that is not mlrunner's own.
    """
    for name, value in dataset.items():
        recorded = hidden.get(name)
        if recorded == value or str(recorded).startswith(("${oc.env:MLRUNNER_", "${resources}")):
            continue
        raise ConfigError(
            f"dataset.{name} holds a secret or a variable of the environment, which no record may hold, so that a step "
            "in a container cannot read it; write the value without, or take a stack whose orchestrator is local."
        )
    return dataset

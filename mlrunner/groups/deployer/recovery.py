"""Finish or undo the change of a deployment whose command was killed.

Before a rollout starts a server, and when it has replaced one, it writes that server's token to `State.unwanted`. So
a process that holds the lock of the deployment and finds a token there knows that its command was killed: the switch
of the address, one atomic write, decides whether the new server or the replaced one has to go.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from mlrunner.core.build import build
from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer.release import ServerBackend
from mlrunner.groups.deployer.state import DeploymentStore, State


def is_needed(store: DeploymentStore) -> bool:
    """Check whether a command was killed while it changed a deployment, or is changing it now."""
    state = store.read_state()
    return state is not None and (bool(state.unwanted) or _is_unlogged(store, state))


def recover(store: DeploymentStore) -> None:
    """Finish or undo a change whose command was killed.

    Args:
        store: Folder of the deployment, whose lock is held.
    """
    state = store.read_state()
    if state is None or not is_needed(store):
        return
    deployer = build(state.settings, "deployer", ServerBackend)
    for token in state.unwanted:
        deployer.discard(token)
    _point_champion(state)
    if not state.versions:  # it was the first deployment
        store.write_state(None)
        return
    store.write_state(replace(state, unwanted=[]))
    _ensure_gateway(store, state)
    version = state.versions[-1]
    run_id, reason = store.get_release(version).facts.get("run_id"), "a command was killed while it changed this"
    store.log_event("recovered", version=version, run_id=run_id, reason=reason)


def _is_unlogged(store: DeploymentStore, state: State) -> bool:
    """Check whether the history lacks the last change."""
    versions = [event["version"] for event in store.read_history() if event.get("version") is not None]
    return bool(state.versions) and state.versions[-1:] != versions[-1:]


def _point_champion(state: State) -> None:
    from mlrunner.tracking import model_registry

    model_registry.set_alias(state.name, model_registry.CHAMPION, state.versions[-1] if state.versions else None)


def _ensure_gateway(store: DeploymentStore, state: State) -> None:
    from mlrunner.groups.deployer import gateway_process

    if state.active is not None:
        with suppress(DeployError):  # `mlrunner status` tells what is left to do
            gateway_process.ensure_follows(store, state.url, state.active)

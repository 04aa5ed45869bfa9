"""The components of our ZenML stack, registered once; and the tracker of somebody else's stack."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from uuid import UUID

from zenml.client import Client
from zenml.enums import StackComponentType as Part
from zenml.models import ComponentResponse

from mlrunner.groups.stack.reachability import is_remote

if TYPE_CHECKING:
    from collections.abc import Mapping

TRACKER, DEPLOYER, REGISTRY = "mlflow_tracker", "mlflow_deployer", "mlflow_registry"
LOGIN = ("username", "password", "token")  # MLFLOW_TRACKING_…, tracking_… of ZenML's component


def register(client: Client, name: str) -> UUID:
    """Find our stack, or register it with its components.

    Returns:
        The stack's id.
    """
    tracker = _component(client, Part.EXPERIMENT_TRACKER, TRACKER, _tracker(client))
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


def _tracker(client: Client) -> dict[str, str | None]:
    """Describe MLflow's store as this process sees it.

    ZenML takes a server only with exactly one way to log in, also where the server asks for none; the values
    are kept as a secret, for whoever may see a component may not see those.
    """
    uri = os.environ["MLFLOW_TRACKING_URI"]
    login: dict[str, str | None] = dict.fromkeys([f"tracking_{name}" for name in LOGIN])
    if is_remote(uri):
        given = {name: value for name in LOGIN if (value := os.environ.get(f"MLFLOW_TRACKING_{name.upper()}"))}
        used = {name: given[name] for name in LOGIN[:2]} if {*LOGIN[:2]} <= set(given) else None
        used = used or {"token": given.get("token", "anonymous")}
        _keep(client, used)
        login |= {f"tracking_{name}": f"{{{{{TRACKER}.{name}}}}}" for name in used}
    return {"tracking_uri": uri, **login}


def _keep(client: Client, values: dict[str, str]) -> None:
    try:
        found = client.get_secret_by_name_and_private_status(TRACKER, private=True)
    except KeyError:
        client.create_secret(TRACKER, values, private=True)
        return
    if found.secret_values != values:
        client.update_secret(found.id, add_or_update_values=values)


def _component(client: Client, kind: Part, name: str, settings: Mapping[str, str | None]) -> ComponentResponse:
    try:
        found = client.get_stack_component(kind, name, allow_name_prefix_match=False)
    except KeyError:
        given = {key: value for key, value in settings.items() if value is not None}
        return client.create_stack_component(name, "mlflow", kind, given)
    if any(found.configuration.get(key) != value for key, value in settings.items()):
        return client.update_stack_component(name, kind, configuration=dict(settings))
    return found


def follow_tracker(client: Client, stack: UUID) -> bool:
    """Take MLflow's address and login from a stack's own tracker.

    Returns:
        Whether the stack has an MLflow tracker that names an address.
    """
    from zenml.integrations.mlflow.experiment_trackers import MLFlowExperimentTracker
    from zenml.stack import StackComponent

    for model in client.get_stack(stack).components.get(Part.EXPERIMENT_TRACKER, []):
        tracker = StackComponent.from_model(model)
        if isinstance(tracker, MLFlowExperimentTracker) and tracker.config.tracking_uri is not None:
            tracker.configure_mlflow()
            return True
    return False

"""Register the components of our ZenML stack, and read the MLflow tracker of another stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from zenml.client import Client
from zenml.enums import StackComponentType as Kind
from zenml.models import ComponentResponse, StackResponse

from mlrunner.core import environment
from mlrunner.groups.stack.object_store import ObjectStore
from mlrunner.groups.stack.reachability import is_remote

if TYPE_CHECKING:
    from zenml.integrations.mlflow.experiment_trackers import MLFlowExperimentTracker

TRACKER, DEPLOYER, REGISTRY = "mlflow_tracker", "mlflow_deployer", "mlflow_registry"
LOGIN_SETTINGS = ("username", "password", "token")  # MLFLOW_TRACKING_… and tracking_… of ZenML's component


def register_stack(client: Client, name: str, artifacts: ObjectStore | None) -> UUID:
    """Return the id of our stack; register the stack and its components when they are absent.

    Args:
        client: Client of ZenML's store.
        name: Name of the stack; one with an object store also has the name of that.
        artifacts: Object store for the artifacts; None takes ZenML's default, a folder.
    """
    kinds: dict[Kind, tuple[str, Mapping[str, Any]]] = {
        Kind.EXPERIMENT_TRACKER: (TRACKER, _tracker_settings(client)),
        Kind.MODEL_DEPLOYER: (DEPLOYER, {}),
        Kind.MODEL_REGISTRY: (REGISTRY, {}),
    }
    if artifacts is not None:
        name = f"{name}-{artifacts.name}"
        kinds[Kind.ARTIFACT_STORE] = (artifacts.name, artifacts.zenml_settings)
    try:
        stack = client.get_stack(name, allow_name_prefix_match=False)
    except KeyError:
        stack = None
    if stack is not None and _has_components(stack, kinds):  # one request in place of one for each component
        return stack.id
    components: dict[Kind, str | UUID] = {Kind.ORCHESTRATOR: "default", Kind.ARTIFACT_STORE: "default"}
    for kind, (component, settings) in kinds.items():
        flavor = artifacts.flavor if artifacts is not None and kind == Kind.ARTIFACT_STORE else "mlflow"
        components[kind] = _register_component(client, kind, component, settings, flavor).id
    return client.create_stack(name, components).id if stack is None else stack.id


def _has_components(stack: StackResponse, kinds: Mapping[Kind, tuple[str, Mapping[str, Any]]]) -> bool:
    """Check whether a stack has components with these names and settings."""
    for kind, (name, settings) in kinds.items():
        components = [component for component in stack.components.get(kind, []) if component.name == name]
        if not components or _differs(components[0], settings):
            return False
    return True


def _differs(component: ComponentResponse, settings: Mapping[str, Any]) -> bool:
    return any(component.configuration.get(key) != value for key, value in settings.items())


def _tracker_settings(client: Client) -> dict[str, str | None]:
    """Return the tracker's settings for MLflow's store as this process uses it.

    ZenML accepts a server only with exactly one way to log in, even when the server needs none. The login is stored
    as a secret, because more people may read a component than may read its login.
    """
    uri = environment.tracking_uri() or ""
    login: dict[str, str | None] = dict.fromkeys([f"tracking_{name}" for name in LOGIN_SETTINGS])
    if is_remote(uri):
        secret = _login_secret()
        _store_secret(client, secret)
        login |= {f"tracking_{name}": f"{{{{{TRACKER}.{name}}}}}" for name in secret}
    return {"tracking_uri": uri, **login}


def _login_secret() -> dict[str, str]:
    """Read user and password from the environment, else the token; ZenML needs one even for an open server."""
    values = {name: environment.variable(f"MLFLOW_TRACKING_{name.upper()}") or "" for name in LOGIN_SETTINGS}
    if values["username"] and values["password"]:
        return {"username": values["username"], "password": values["password"]}
    return {"token": values["token"] or "anonymous"}


def _store_secret(client: Client, values: dict[str, str]) -> None:
    try:
        secret = client.get_secret_by_name_and_private_status(TRACKER, private=True)
    except KeyError:
        client.create_secret(TRACKER, values, private=True)
        return
    if secret.secret_values != values:
        client.update_secret(secret.id, add_or_update_values=values)


def _register_component(
    client: Client, kind: Kind, name: str, settings: Mapping[str, Any], flavor: str
) -> ComponentResponse:
    try:
        component = client.get_stack_component(kind, name, allow_name_prefix_match=False)
    except KeyError:
        configuration = {key: value for key, value in settings.items() if value is not None}
        return client.create_stack_component(name, flavor, kind, configuration)
    if _differs(component, settings):
        return client.update_stack_component(name, kind, configuration=dict(settings))
    return component


def follow_tracker(client: Client, stack: UUID) -> bool:
    """Set MLflow's address and login from a stack's own tracker.

    Returns:
        Whether the stack has an MLflow tracker with an address.
    """
    tracker = find_tracker(client, stack)
    if tracker is not None:
        tracker.configure_mlflow()
    return tracker is not None


def find_tracker(client: Client, stack: UUID) -> MLFlowExperimentTracker | None:
    """Find the MLflow tracker of a stack; None when it has none, or one without an address."""
    from zenml.integrations.mlflow.experiment_trackers import MLFlowExperimentTracker
    from zenml.stack import StackComponent

    for model in client.get_stack(stack).components.get(Kind.EXPERIMENT_TRACKER, []):
        tracker = StackComponent.from_model(model)
        if isinstance(tracker, MLFlowExperimentTracker) and tracker.config.tracking_uri is not None:
            return tracker
    return None

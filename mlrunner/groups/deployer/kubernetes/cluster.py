"""The Kubernetes cluster of a context: apply manifests, wait for the rollout, and every mishap told as one sentence."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from mlrunner.core.errors import DeployError, brief, nearest

MANAGER = "mlrunner"  # owns the fields that it applies
POLL = 1.0
GRACE = 30.0  # seconds beyond the deadline that the cluster itself watches
VERSION = "app.kubernetes.io/version"  # the label that tells what is deployed
LATE = "ProgressDeadlineExceeded"
Manifest = dict[str, Any]


def contexts() -> list[str]:
    """Name the contexts of the user's kubeconfig; none without one."""
    config = import_module("kubernetes.config")
    try:
        found, _ = config.list_kube_config_contexts()
    except config.ConfigException:
        return []
    return [str(one["name"]) for one in found]


def problems(context: str | None) -> list[str]:
    """Refuse a context that the kubeconfig does not have, naming those that it has."""
    known = [] if context is None else contexts()
    if context is None or context in known:
        return []
    there = f"the kubeconfig has {brief(known)}" if known else "there is no kubeconfig, or it is empty"
    return [f"deployer.context={context}, but {there}; null only writes the manifests.{nearest(context, known)}"]


@contextmanager
def cluster(context: str) -> Iterator[Any]:
    """Open a client of a context's cluster.

    Returns:
        A `kubernetes.dynamic.DynamicClient`.

    Raises:
        DeployError: When the cluster cannot be reached, or refuses something.
    """
    client, config = import_module("kubernetes.client"), import_module("kubernetes.config")
    urllib3 = import_module("urllib3.exceptions")
    api = None
    try:
        api = config.new_client_from_config(context=context)
        api.configuration.retries = 1
        yield import_module("kubernetes.dynamic").DynamicClient(api)
    except client.ApiException as error:
        raise DeployError(f"The cluster of context {context} says: {refused(error)}") from error
    except (urllib3.HTTPError, config.ConfigException) as error:
        raise DeployError(
            f"The cluster of context {context} cannot be reached ({_reason(error)}); is it running?"
        ) from error
    finally:
        if api is not None:
            api.rest_client.pool_manager.clear()
            api.close()


def _reason(error: Exception) -> str:
    return " ".join(str(getattr(error, "reason", error)).split())[:200]


def refused(error: Any) -> str:
    """Say what the cluster refused, with what to do about a namespace that is not there."""
    try:
        told = str(json.loads(error.body)["message"])
    except (ValueError, KeyError, TypeError):
        told = str(error.reason)
    mend = (
        "; create it with `kubectl create namespace`" if error.status == 404 and told.startswith("namespaces") else ""
    )
    return f"{told.rstrip('.')}{mend}."


def roll_out(context: str, manifests: Sequence[Manifest], of_version: Callable[[str], Sequence[Manifest]]) -> None:
    """Apply manifests and wait; when the pods do not become ready, apply those of before, whose pods still serve.

    Args:
        context: Of the kubeconfig.
        manifests: The Deployment first.
        of_version: Reads the manifests of an earlier version; none where they are lost.

    Raises:
        DeployError: When the cluster refuses them, or the pods do not become ready.
    """
    name, namespace = manifests[0]["metadata"]["name"], manifests[0]["metadata"]["namespace"]
    with cluster(context) as client:
        before = current(client, name, namespace)
        apply(client, manifests)
        try:
            wait(client, name, namespace)
        except DeployError:
            version = ((before or {}).get("metadata", {}).get("labels") or {}).get(VERSION, "")
            apply(client, of_version(version))
            raise


def apply(client: Any, manifests: Sequence[Manifest]) -> None:
    """Let the cluster hold what manifests say, as their owner."""
    for manifest in manifests:
        resource = client.resources.get(api_version=manifest["apiVersion"], kind=manifest["kind"])
        namespace = manifest["metadata"]["namespace"]
        how = {"field_manager": MANAGER, "force_conflicts": True}
        client.server_side_apply(resource, body=manifest, namespace=namespace, **how)


def current(client: Any, name: str, namespace: str) -> Manifest | None:
    """Read a Deployment; None when there is none."""
    resource = client.resources.get(api_version="apps/v1", kind="Deployment")
    try:
        found: Manifest = client.get(resource, name=name, namespace=namespace).to_dict()
    except import_module("kubernetes.dynamic.exceptions").NotFoundError:
        return None
    return found


def wait(client: Any, name: str, namespace: str) -> None:
    """Wait until every pod is of the new version and ready.

    Raises:
        DeployError: When the cluster's own deadline has passed, or it does not tell.
    """
    until: float | None = None
    while True:
        found = current(client, name, namespace) or {}
        if is_rolled_out(found):
            return
        deadline = found.get("spec", {}).get("progressDeadlineSeconds", 600)
        until = until or time.monotonic() + deadline + GRACE
        if is_late(found) or time.monotonic() > until:
            raise DeployError(
                f"The pods of {name} are not ready after {deadline} s; the old ones still serve. See kubectl "
                f"-n {namespace} describe pods -l app.kubernetes.io/instance={name}."
            )
        time.sleep(POLL)


def is_rolled_out(found: Manifest) -> bool:
    """Tell whether a Deployment's pods are all new and ready, and no old one is left."""
    spec, status = found.get("spec", {}), found.get("status") or {}
    seen = status.get("observedGeneration", 0) >= found.get("metadata", {}).get("generation", 1)
    counts = [status.get(key) or 0 for key in ("updatedReplicas", "availableReplicas", "replicas")]
    return bool(seen and counts == [spec.get("replicas")] * 3)


def is_late(found: Manifest) -> bool:
    """Tell whether the cluster has given up on a rollout."""
    conditions = (found.get("status") or {}).get("conditions") or []
    return any(one.get("reason") == LATE and one.get("status") == "False" for one in conditions)

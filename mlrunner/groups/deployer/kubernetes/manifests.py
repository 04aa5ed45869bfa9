"""The manifests of a deployment: a Deployment, a Service and a PodDisruptionBudget, validated against the schema."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import yaml

from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer.docker.dockerfile import PORT, USER
from mlrunner.groups.deployer.resource_names import label

DRAIN = 5  # seconds in which the cluster learns that a pod ends; it answers all the while
PULL = 300  # seconds for the image, beside those for the start
DEFAULT = {"type": "RuntimeDefault"}
LOCKED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
Manifest = dict[str, Any]


@dataclass(frozen=True)
class Workload:
    """What runs in the cluster.

    Args:
        name: Of the deployment, as people wrote it.
        namespace: Where it lives.
        image: With its version.
        version: Of the registered model.
        arguments: Of the server.
        replicas: Pods.
        port: Of the service.
        memory: Of a pod, as Kubernetes writes it; None sets no limit.
        cpus: Of a pod; None sets no limit.
        start_timeout: Seconds until a new pod must answer.
        request_timeout: Seconds that a request may take.
        pull_secret: The secret that opens the registry; None where it is open.
        facts: What people look for in `kubectl describe`.
    """

    name: str
    namespace: str
    image: str
    version: int
    arguments: Sequence[str]
    replicas: int
    port: int
    memory: str | None
    cpus: float | None
    start_timeout: float
    request_timeout: float
    pull_secret: str | None
    facts: dict[str, str]

    @property
    def selector(self) -> dict[str, str]:
        """The labels that stay: a Deployment cannot change them."""
        return {"app.kubernetes.io/name": "mlrunner", "app.kubernetes.io/instance": label(self.name)}

    @property
    def labels(self) -> dict[str, str]:
        """All labels."""
        ours = {"app.kubernetes.io/component": "model-server", "app.kubernetes.io/managed-by": "mlrunner"}
        return {**self.selector, "app.kubernetes.io/version": str(self.version), **ours}

    @property
    def metadata(self) -> Manifest:
        """Of each object."""
        return {"name": label(self.name), "namespace": self.namespace, "labels": self.labels}


def render(workload: Workload) -> list[Manifest]:
    """Write what the cluster shall hold.

    Returns:
        A Deployment, a Service, and with several pods a PodDisruptionBudget.
    """
    found = [deployment(workload), service(workload)]
    return [*found, budget(workload)] if workload.replicas > 1 else found


def deployment(workload: Workload) -> Manifest:
    """Pods that are replaced one by one, each only when the new one is ready."""
    annotations = {f"mlrunner/{name.replace('_', '-')}": value for name, value in workload.facts.items()}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {**workload.metadata, "annotations": annotations},
        "spec": {
            "replicas": workload.replicas,
            "progressDeadlineSeconds": math.ceil(workload.start_timeout) + PULL,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "selector": {"matchLabels": workload.selector},
            "template": {"metadata": {"labels": workload.labels, "annotations": annotations}, "spec": _pod(workload)},
        },
    }


def service(workload: Workload) -> Manifest:
    """The address inside the cluster."""
    ports = [{"name": "http", "port": workload.port, "targetPort": "http", "protocol": "TCP"}]
    spec = {"type": "ClusterIP", "selector": workload.selector, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": workload.metadata, "spec": spec}


def budget(workload: Workload) -> Manifest:
    """Let a drained node take one pod at a time."""
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": workload.selector}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": workload.metadata, "spec": spec}


def _pod(workload: Workload) -> Manifest:
    user, group = map(int, USER.split(":"))
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": workload.selector},
    }
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": user, "runAsGroup": group, "seccompProfile": DEFAULT},
        "terminationGracePeriodSeconds": 2 * DRAIN + math.ceil(workload.request_timeout),
        "containers": [_container(workload)],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
        **({"topologySpreadConstraints": [spread]} if workload.replicas > 1 else {}),
        **({"imagePullSecrets": [{"name": workload.pull_secret}]} if workload.pull_secret else {}),
    }


def _container(workload: Workload) -> Manifest:
    return {
        "name": "server",
        "image": workload.image,
        "imagePullPolicy": "IfNotPresent",
        "args": ["--host", "0.0.0.0", "--port", str(PORT), *workload.arguments],
        "env": _environment(workload),
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "startupProbe": {**_probe("/ping", 1), "failureThreshold": math.ceil(workload.start_timeout)},
        "livenessProbe": {**_probe("/ping", 10), "failureThreshold": 3},
        "readinessProbe": {**_probe("/health", 5), "failureThreshold": 2},
        "lifecycle": {"preStop": {"exec": {"command": ["python3", "-ISc", f"import time; time.sleep({DRAIN})"]}}},
        "resources": _resources(workload),
        "securityContext": LOCKED,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }


def _probe(path: str, period: int) -> Manifest:
    return {"httpGet": {"path": path, "port": "http"}, "periodSeconds": period, "timeoutSeconds": 3}


def _environment(workload: Workload) -> list[Manifest]:
    """Let `/version` tell which pod answers, and libraries start no more threads than the pod has processors."""
    instance = {"name": "MLRUNNER_TOKEN", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    if workload.cpus is None:
        return [instance]
    return [instance, {"name": "OMP_NUM_THREADS", "value": str(max(1, math.ceil(workload.cpus)))}]


def _resources(workload: Workload) -> Manifest:
    given = {"memory": workload.memory, "cpu": None if workload.cpus is None else f"{workload.cpus:g}"}
    known = {name: value for name, value in given.items() if value is not None}
    return {"requests": known, "limits": known} if known else {}


def text(manifests: Sequence[Manifest]) -> str:
    """Write manifests as YAML, each part in full, without YAML's references."""

    class InFull(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
            return True

    return str(yaml.dump_all(manifests, Dumper=InFull, sort_keys=False))


def validate(manifests: Sequence[Manifest]) -> None:
    """Hold manifests against Kubernetes' own schema, the newest that is known here, unknown keys included.

    Raises:
        DeployError: With the place and what is wrong with it.
    """
    kubernetes_validate = import_module("kubernetes_validate")
    version = kubernetes_validate.latest_version()
    for manifest in manifests:
        told = f"{manifest.get('kind', 'Object')} {manifest.get('metadata', {}).get('name', '')}".strip()
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            place = ".".join(str(part) for part in error.absolute_path) or "its top"
            raise DeployError(
                f"{told} is no valid manifest for Kubernetes {version}: {place}: {error.message}."
            ) from error
        except (kubernetes_validate.SchemaNotFoundError, KeyError) as error:
            raise DeployError(f"{told} is of no kind that Kubernetes {version} knows.") from error

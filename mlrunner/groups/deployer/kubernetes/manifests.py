"""Render a Deployment, a Service and a PodDisruptionBudget."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from mlrunner.groups.deployer.docker.dockerfile import PORT, USER
from mlrunner.groups.deployer.resource_names import format_label

DRAIN_SECONDS = 5  # seconds that an ending pod still answers, until the cluster sends it nothing
PULL_SECONDS = 300  # seconds to pull the image
SECCOMP_PROFILE = {"type": "RuntimeDefault"}
CONTAINER_SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
Manifest = dict[str, Any]


@dataclass(frozen=True)
class Workload:
    """The settings of the manifests.

    Args:
        name: Name of the deployment; the names of the objects are derived from it.
        namespace: Namespace of the objects.
        image: Image with its tag.
        version: Version of the registered model.
        arguments: Arguments of the server.
        replicas: Number of pods.
        port: Port of the Service.
        memory: Memory limit of a pod such as `1Gi`; None sets no limit.
        cpus: Number of processors of a pod; None sets no limit.
        start_timeout: Seconds until a new pod must answer.
        request_timeout: Seconds that a request may take.
        pull_secret: Secret with the credentials to pull the image; None for a public registry.
        facts: Annotations, which `kubectl describe` shows.
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
        """Labels of the selector, which are immutable in a Deployment."""
        return {"app.kubernetes.io/name": "mlrunner", "app.kubernetes.io/instance": format_label(self.name)}

    @property
    def labels(self) -> dict[str, str]:
        """Labels of all objects."""
        ours = {"app.kubernetes.io/component": "model-server", "app.kubernetes.io/managed-by": "mlrunner"}
        return {**self.selector, "app.kubernetes.io/version": str(self.version), **ours}

    @property
    def metadata(self) -> Manifest:
        """Metadata of all objects."""
        return {"name": format_label(self.name), "namespace": self.namespace, "labels": self.labels}


def render(workload: Workload) -> list[Manifest]:
    """Render the manifests.

    Returns:
        A Deployment, a Service, and with several replicas a PodDisruptionBudget.
    """
    manifests = [build_deployment(workload), build_service(workload)]
    return [*manifests, build_budget(workload)] if workload.replicas > 1 else manifests


def build_deployment(workload: Workload) -> Manifest:
    """Build the Deployment, which replaces pods one by one, each when the new one is ready."""
    annotations = {f"mlrunner/{name.replace('_', '-')}": value for name, value in workload.facts.items()}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {**workload.metadata, "annotations": annotations},
        "spec": {
            "replicas": workload.replicas,
            "progressDeadlineSeconds": math.ceil(workload.start_timeout) + PULL_SECONDS,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "selector": {"matchLabels": workload.selector},
            "template": {
                "metadata": {"labels": workload.labels, "annotations": annotations},
                "spec": _build_pod(workload),
            },
        },
    }


def build_service(workload: Workload) -> Manifest:
    """Build the Service, the address inside the cluster."""
    ports = [{"name": "http", "port": workload.port, "targetPort": "http", "protocol": "TCP"}]
    spec = {"type": "ClusterIP", "selector": workload.selector, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": workload.metadata, "spec": spec}


def build_budget(workload: Workload) -> Manifest:
    """Build the PodDisruptionBudget: draining a node takes one pod at a time."""
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": workload.selector}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": workload.metadata, "spec": spec}


def _build_pod(workload: Workload) -> Manifest:
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
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": user,
            "runAsGroup": group,
            "seccompProfile": SECCOMP_PROFILE,
        },
        "terminationGracePeriodSeconds": 2 * DRAIN_SECONDS + math.ceil(workload.request_timeout),
        "containers": [_build_container(workload)],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
        **({"topologySpreadConstraints": [spread]} if workload.replicas > 1 else {}),
        **({"imagePullSecrets": [{"name": workload.pull_secret}]} if workload.pull_secret else {}),
    }


def _build_container(workload: Workload) -> Manifest:
    return {
        "name": "server",
        "image": workload.image,
        "imagePullPolicy": "IfNotPresent",
        "args": ["--host", "0.0.0.0", "--port", str(PORT), *workload.arguments],
        "env": _build_environment(workload),
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "startupProbe": {**_build_probe("/ping", 1), "failureThreshold": math.ceil(workload.start_timeout)},
        "livenessProbe": {**_build_probe("/ping", 10), "failureThreshold": 3},
        "readinessProbe": {**_build_probe("/health", 5), "failureThreshold": 2},
        "lifecycle": {
            "preStop": {"exec": {"command": ["python3", "-ISc", f"import time; time.sleep({DRAIN_SECONDS})"]}}
        },
        "resources": _build_resources(workload),
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }


def _build_probe(path: str, period: int) -> Manifest:
    return {"httpGet": {"path": path, "port": "http"}, "periodSeconds": period, "timeoutSeconds": 3}


def _build_environment(workload: Workload) -> list[Manifest]:
    """Show the name of the pod in `/version`, and limit threads to the processors of the pod."""
    instance = {"name": "MLRUNNER_INSTANCE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    if workload.cpus is None:
        return [instance]
    return [instance, {"name": "OMP_NUM_THREADS", "value": str(max(1, math.ceil(workload.cpus)))}]


def _build_resources(workload: Workload) -> Manifest:
    limits = {"memory": workload.memory, "cpu": None if workload.cpus is None else f"{workload.cpus:g}"}
    limits = {name: value for name, value in limits.items() if value is not None}
    return {"requests": limits, "limits": limits} if limits else {}


def to_yaml(manifests: Sequence[Manifest]) -> str:
    """Format manifests as YAML documents without anchors and aliases."""

    class PlainDumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
            return True

    return str(yaml.dump_all(manifests, Dumper=PlainDumper, sort_keys=False))

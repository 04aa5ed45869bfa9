"""A cluster that answers the real `kubectl`, and workloads for it."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import yaml

from mlrunner.groups.deployer.kubernetes.manifests import Workload

WORKLOAD: dict[str, Any] = {
    "name": "Olist_1",
    "namespace": "default",
    "image": "registry.example.org/team/olist:3",
    "version": 3,
    "arguments": ["--workers", "1"],
    "replicas": 2,
    "port": 80,
    "memory": "1Gi",
    "cpus": 0.5,
    "start_timeout": 60.0,
    "request_timeout": 30.0,
    "pull_secret": None,
    "facts": {"run_id": "abc", "gate": "r2 0.9 >= 0.8"},
}


def make_workload(**changed: Any) -> Workload:
    """Make a workload with some settings changed."""
    return Workload(**{**WORKLOAD, **changed})


GROUPS = {
    "/api/v1": ("v1", "services", "Service"),
    "/apis/apps/v1": ("apps/v1", "deployments", "Deployment"),
    "/apis/policy/v1": ("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget"),
}


class FakeCluster:
    """The part of Kubernetes' API that `kubectl` uses; `outcome` sets whether pods become ready."""

    def __init__(self) -> None:
        self.applied: list[dict[str, Any]] = []
        self.queries: list[str] = []
        self.objects: dict[str, Any] = {}
        self.rollbacks: list[Any] = []
        self.outcome = "ready"
        self.refusal: tuple[int, str] | None = None

    def get(self, path: str) -> tuple[int, Any]:
        if path == "/api":
            return 200, {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/apis":
            groups = [name.split("/")[2] for name in GROUPS if name.startswith("/apis")]
            versions = {name: {"groupVersion": f"{name}/v1", "version": "v1"} for name in groups}
            listed = [{"name": n, "versions": [v], "preferredVersion": v} for n, v in versions.items()]
            return 200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}
        if path in GROUPS:
            version, name, kind = GROUPS[path]
            resource = {"name": name, "kind": kind, "namespaced": True, "verbs": ["get", "patch"], "singularName": ""}
            return 200, {"kind": "APIResourceList", "groupVersion": version, "resources": [resource]}
        if path.endswith("/deployments"):
            items = [
                self.with_status(manifest) for manifest in self.objects.values() if manifest["kind"] == "Deployment"
            ]
            return 200, self.build_list("DeploymentList", items)
        if path.endswith("/replicasets"):
            return 200, self.build_list("ReplicaSetList", self.replica_sets())
        if path in self.objects:
            return 200, self.with_status(self.objects[path])
        return self.failure(404, f"{path} not found")

    def build_list(self, kind: str, items: list[Any]) -> dict[str, Any]:
        return {"kind": kind, "apiVersion": "apps/v1", "metadata": {"resourceVersion": "1"}, "items": items}

    def failure(self, code: int, message: str) -> tuple[int, Any]:
        reason = {404: "NotFound", 403: "Forbidden"}[code]
        return code, {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "reason": reason,
            "message": message,
            "code": code,
        }

    def with_status(self, manifest: dict[str, Any]) -> dict[str, Any]:
        return {**manifest, "status": self.status(manifest)} if manifest["kind"] == "Deployment" else manifest

    def status(self, manifest: dict[str, Any]) -> dict[str, Any]:
        count = manifest["spec"].get("replicas", 0)
        if self.outcome == "ready":
            return {"observedGeneration": 1, "replicas": count, "updatedReplicas": count, "availableReplicas": count}
        late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
        return {"observedGeneration": 1, "replicas": count + 1, "updatedReplicas": 1, "conditions": [late]}

    def replica_sets(self) -> list[dict[str, Any]]:
        """Return one for each Deployment that was applied, as the cluster's controller does."""
        deployments = [manifest for manifest in self.applied if manifest["kind"] == "Deployment"]
        return [self.replica_set(number, manifest) for number, manifest in enumerate(deployments, 1)]

    def replica_set(self, number: int, manifest: dict[str, Any]) -> dict[str, Any]:
        owner = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": manifest["metadata"]["name"],
            "controller": True,
        }
        metadata = {
            "name": f"{manifest['metadata']['name']}-{number}",
            "uid": str(number),
            "namespace": manifest["metadata"]["namespace"],
            "labels": manifest["spec"]["template"]["metadata"]["labels"],
            "annotations": {"deployment.kubernetes.io/revision": str(number)},
            "ownerReferences": [{**owner, "uid": "u"}],
        }
        return {
            "metadata": metadata,
            "spec": {key: manifest["spec"][key] for key in ("replicas", "selector", "template")},
        }

    def patch(self, path: str, kind: str, query: str, body: Any) -> tuple[int, Any]:
        if self.refusal is not None:
            return self.failure(*self.refusal)
        if kind != "application/apply-patch+yaml":
            self.rollbacks.append(body)
            return 200, self.objects[path]
        self.applied.append(body)
        self.queries.append(query)
        self.objects[path] = {**body, "metadata": {**body["metadata"], "generation": 1, "uid": "u"}}
        return 200, self.objects[path]


def build_server(cluster: FakeCluster) -> ThreadingHTTPServer:
    """Build an HTTP server of a cluster."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            if "watch=true" in query:  # no further events
                self.answer(200, None)
            else:
                self.answer(*cluster.get(path))

        def do_PATCH(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            path, _, query = self.path.partition("?")
            self.answer(*cluster.patch(path, self.headers["Content-Type"], query, yaml.safe_load(body)))

        def answer(self, code: int, content: Any) -> None:
            body = b"" if content is None else json.dumps(content).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)

"""`deployer=kubernetes`: valid manifests, and what the real `kubectl` sends to a stand-in of the API server."""

from __future__ import annotations

import copy
import json
import re
import shutil
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import DictConfig

from mlrunner.composition.resolve import resolve_group
from mlrunner.core.build import build
from mlrunner.core.errors import DeployError, ProblemsError
from mlrunner.groups.deployer import kubernetes
from mlrunner.groups.deployer.docker import dockerfile
from mlrunner.groups.deployer.kubernetes import KubernetesDeployer, cluster, manifests, schema
from mlrunner.groups.deployer.kubernetes.manifests import Workload
from mlrunner.groups.deployer.release import Release
from tests.support.released import BASE, docker_client, remove

pytest.importorskip("kubernetes_validate")

Compose = Callable[[list[str]], DictConfig]
REPOSITORY = "mlrunner-test-kubernetes"
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


def workload(**changed: Any) -> Workload:
    return Workload(**{**WORKLOAD, **changed})


class Deployer(KubernetesDeployer):
    """Whatever `deploy` does, it ends in `release_to_cluster`."""

    def deploy(self, *_: Any) -> None: ...


@pytest.fixture
def deployer(compose: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Deployer]:
    """The option with some settings changed, without an engine."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")

    def built(*overrides: str) -> Deployer:
        cfg = compose(["deployer=kubernetes", "dataset=diabetes", f"deployer.folder={tmp_path}", *overrides])
        group = resolve_group(cfg, "deployer")
        found: Deployer = build({**group, "_target_": f"{__name__}.Deployer"}, "deployer", KubernetesDeployer)
        return found

    return built


@pytest.fixture
def released(tmp_path: Path) -> Release:
    folder = tmp_path / "release"
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "requirements.txt").write_text("pandas\n")
    (folder / "release.json").write_text(json.dumps({"facts": {"run_id": "abc", "metrics": {"r2": 1}, "gate": "open"}}))
    return Release("diabetes", 3, folder)


class TestManifests:
    @pytest.mark.parametrize(
        "changed",
        [
            {},
            {"replicas": 1},
            {"memory": None, "cpus": None},
            {"pull_secret": "registry"},
            {"facts": {}},
            {"cpus": 0.001},
        ],
        ids=str,
    )
    def test_what_is_rendered_is_valid(self, changed: dict[str, Any]) -> None:
        schema.validate(manifests.render(workload(**changed)))

    @settings(max_examples=20, deadline=None)
    @given(
        st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}", fullmatch=True),
        st.integers(1, 9),
        st.text(st.characters(codec="utf-8"), max_size=30),
    )
    def test_whatever_the_deployment_is_called_and_the_gate_said(self, name: str, replicas: int, said: str) -> None:
        rendered = manifests.render(workload(name=name, replicas=replicas, facts={"gate": said}))
        schema.validate(rendered)
        for one in rendered:
            assert re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", one["metadata"]["name"])

    def test_written_and_read_it_is_the_same_without_references(self) -> None:
        rendered = manifests.render(workload())
        text = manifests.to_yaml(rendered)
        assert list(yaml.safe_load_all(text)) == rendered
        assert not re.search(r"[&*]id\d", text)

    def test_pods_are_replaced_without_a_gap(self) -> None:
        spec = manifests.build_deployment(workload())["spec"]
        assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
        pod = spec["template"]["spec"]
        (container,) = pod["containers"]
        assert "sleep" in str(container["lifecycle"]["preStop"])
        assert pod["terminationGracePeriodSeconds"] > manifests.DRAIN_SECONDS + 30
        assert container["readinessProbe"]["httpGet"] == {"path": "/health", "port": "http"}
        assert container["livenessProbe"]["httpGet"] == {"path": "/ping", "port": "http"}
        assert container["startupProbe"]["failureThreshold"] * container["startupProbe"]["periodSeconds"] == 60

    def test_a_pod_may_do_nothing_but_serve(self) -> None:
        pod = manifests.build_deployment(workload())["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        assert f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" == dockerfile.USER
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]

    def test_limits_are_requests_and_threads_follow_them(self) -> None:
        (container,) = manifests.build_deployment(workload(cpus=1.5))["spec"]["template"]["spec"]["containers"]
        assert container["resources"]["limits"] == container["resources"]["requests"] == {"memory": "1Gi", "cpu": "1.5"}
        assert {"name": "OMP_NUM_THREADS", "value": "2"} in container["env"]

    def test_the_selector_is_the_same_for_every_version_and_all_three_agree(self) -> None:
        old, new = (manifests.render(workload(version=version)) for version in (1, 2))
        selectors = [
            *(one[0]["spec"]["selector"]["matchLabels"] for one in (old, new)),
            new[1]["spec"]["selector"],
            new[2]["spec"]["selector"]["matchLabels"],
        ]
        assert all(one == selectors[0] for one in selectors)
        assert selectors[0].items() <= new[0]["spec"]["template"]["metadata"]["labels"].items()
        assert new[0]["metadata"]["labels"]["app.kubernetes.io/version"] == "2"

    def test_a_single_pod_has_no_budget(self) -> None:
        kinds = [one["kind"] for one in manifests.render(workload(replicas=1))]
        assert kinds == ["Deployment", "Service"]

    @pytest.mark.parametrize(
        ("place", "value", "words"),
        [
            ("spec.replicas", "two", r"Deployment olist-1 is not valid for Kubernetes .*: spec\.replicas: 'two'"),
            ("spec.replica", 2, "'replica' was unexpected"),
            ("spec.template.spec.containers.0.ports.0.containerPort", "http", "containerPort: 'http'"),
            ("kind", "Deploymentt", "Deploymentt olist-1 is of a kind"),
        ],
    )
    def test_a_broken_one_is_refused_with_its_place(self, place: str, value: object, words: str) -> None:
        broken = copy.deepcopy(manifests.build_deployment(workload()))
        *above, last = place.split(".")
        at: Any = broken
        for part in above:
            at = at[int(part) if part.isdigit() else part]
        at[last] = value
        with pytest.raises(DeployError, match=words):
            schema.validate([broken])

    def test_an_empty_one_is_refused(self) -> None:
        with pytest.raises(DeployError, match="of no kind"):
            schema.validate([{}])


class TestSettings:
    @pytest.mark.parametrize(
        "override",
        [
            "memory=1g",
            "memory=128",
            "memory=lots",
            "cpus=0",
            "replicas=0",
            "namespace=Big",
            "namespace=a_b",
            "port=0",
            "name=a/b",
        ],
    )
    def test_what_kubernetes_does_not_take_is_refused_at_once(
        self, override: str, deployer: Callable[..., Deployer]
    ) -> None:
        with pytest.raises(ProblemsError, match=f"deployer.{override.partition('=')[0]}="):
            deployer(f"deployer.{override}")

    @pytest.mark.parametrize("memory", ["512Mi", "1Gi", "1.5G"])
    def test_quantities_are_taken(self, memory: str, deployer: Callable[..., Deployer]) -> None:
        assert deployer(f"deployer.memory={memory}").memory == memory

    def test_to_write_manifests_nothing_is_needed(self, deployer: Callable[..., Deployer]) -> None:
        assert deployer().problems() == []

    def test_a_push_needs_somewhere_to_go(self, deployer: Callable[..., Deployer]) -> None:
        problem, _ = deployer("deployer.push=true").problems()
        assert problem.startswith("deployer.push=true, but deployer.image=mlrunner-diabetes names no registry")

    def test_without_its_packages_it_says_how_to_get_them(
        self, deployer: Callable[..., Deployer], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kubernetes, "VALIDATOR", "no_such_package")
        (problem,) = deployer().problems()
        assert (
            problem == "deployer=kubernetes needs no_such_package; install it with pip install 'mlrunner[kubernetes]'."
        )


class TestRendering:
    def test_without_an_engine_the_manifests_are_written_and_say_so(
        self, deployer: Callable[..., Deployer], released: Release, tmp_path: Path
    ) -> None:
        file = deployer().release_to_cluster(released)
        assert file == tmp_path / "diabetes" / "kubernetes" / "3.yaml"
        text = file.read_text()
        assert text.startswith(
            "# diabetes, version 3:\n# kubectl apply --server-side -f 3.yaml\n"
            "# kubectl --namespace default rollout status deployment/diabetes\n# The image is not built: Docker"
        )
        first, *_ = list(yaml.safe_load_all(text))
        (container,) = first["spec"]["template"]["spec"]["containers"]
        assert container["image"] == "mlrunner-diabetes:3"
        assert container["args"][-2:] == ["--unknown-categories", "refuse"]
        assert f"Build it with docker build --tag mlrunner-diabetes:3 {released.folder}\n" in text
        assert {"Dockerfile", "requirements.txt", "code"} <= {path.name for path in released.folder.iterdir()}
        assert first["metadata"]["annotations"] == {"mlrunner/run-id": "abc", "mlrunner/gate": "open"}

    def test_with_a_context_it_does_not_go_on_without_an_image(
        self, deployer: Callable[..., Deployer], released: Release, tmp_path: Path
    ) -> None:
        with pytest.raises(DeployError, match="does not answer"):
            deployer("deployer.context=minikube").release_to_cluster(released)
        assert not (tmp_path / "diabetes").exists()


GROUPS = {
    "/api/v1": ("v1", "services", "Service"),
    "/apis/apps/v1": ("apps/v1", "deployments", "Deployment"),
    "/apis/policy/v1": ("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget"),
}


class StandIn:
    """As much of Kubernetes' API as `kubectl` asks for; `outcome` sets what becomes of the pods."""

    def __init__(self) -> None:
        self.applied: list[dict[str, Any]] = []
        self.queries: list[str] = []
        self.held: dict[str, Any] = {}
        self.undone: list[Any] = []
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
            items = [self.seen(held) for held in self.held.values() if held["kind"] == "Deployment"]
            return 200, self.listed("DeploymentList", items)
        if path.endswith("/replicasets"):
            return 200, self.listed("ReplicaSetList", self.replica_sets())
        if path in self.held:
            return 200, self.seen(self.held[path])
        return self.failure(404, f"{path} not found")

    def listed(self, kind: str, items: list[Any]) -> dict[str, Any]:
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

    def seen(self, held: dict[str, Any]) -> dict[str, Any]:
        return {**held, "status": self.status(held)} if held["kind"] == "Deployment" else held

    def status(self, held: dict[str, Any]) -> dict[str, Any]:
        count = held["spec"].get("replicas", 0)
        if self.outcome == "ready":
            return {"observedGeneration": 1, "replicas": count, "updatedReplicas": count, "availableReplicas": count}
        late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
        return {"observedGeneration": 1, "replicas": count + 1, "updatedReplicas": 1, "conditions": [late]}

    def replica_sets(self) -> list[dict[str, Any]]:
        """One for each Deployment that was applied, as the cluster's controller would make them."""
        deployments = [one for one in self.applied if one["kind"] == "Deployment"]
        return [self.replica_set(number, one) for number, one in enumerate(deployments, 1)]

    def replica_set(self, number: int, held: dict[str, Any]) -> dict[str, Any]:
        owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": held["metadata"]["name"], "controller": True}
        metadata = {
            "name": f"{held['metadata']['name']}-{number}",
            "uid": str(number),
            "namespace": held["metadata"]["namespace"],
            "labels": held["spec"]["template"]["metadata"]["labels"],
            "annotations": {"deployment.kubernetes.io/revision": str(number)},
            "ownerReferences": [{**owner, "uid": "u"}],
        }
        return {"metadata": metadata, "spec": {key: held["spec"][key] for key in ("replicas", "selector", "template")}}

    def patch(self, path: str, kind: str, query: str, body: Any) -> tuple[int, Any]:
        if self.refusal is not None:
            return self.failure(*self.refusal)
        if kind != "application/apply-patch+yaml":
            self.undone.append(body)
            return 200, self.held[path]
        self.applied.append(body)
        self.queries.append(query)
        self.held[path] = {**body, "metadata": {**body["metadata"], "generation": 1, "uid": "u"}}
        return 200, self.held[path]


def serving(cluster: StandIn) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            if "watch=true" in query:  # nothing happens any more
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


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    """Write a kubeconfig with a context for each address; nobody answers at the context `down`."""
    if shutil.which(cluster.KUBECTL) is None:
        pytest.skip("kubectl is not installed")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setenv("HOME", str(tmp_path))  # kubectl keeps what it discovers there

    def write(addresses: dict[str, str]) -> None:
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": url}} for name, url in addresses.items()],
            "users": [{"name": "me", "user": {"token": "t"}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": "me"}} for name in addresses],
        }
        (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))

    return write


@pytest.fixture
def stand_in(kubeconfig: Callable[[dict[str, str]], None]) -> Iterator[StandIn]:
    """A cluster of the context `here`."""
    answering = StandIn()
    server = serving(answering)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    kubeconfig({"here": f"http://127.0.0.1:{server.server_port}", "down": "http://127.0.0.1:1"})
    yield answering
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every image is there already."""
    monkeypatch.setattr(KubernetesDeployer, "_prepare_image", lambda _, release: (f"team/x:{release.version}", ""))


@pytest.mark.usefixtures("built")
class TestCluster:
    @pytest.mark.usefixtures("stand_in")
    def test_a_context_that_is_not_there_names_those_that_are(self, deployer: Callable[..., Deployer]) -> None:
        problem, _ = deployer("deployer.context=dawn").problems()
        assert problem == (
            "deployer.context=dawn, but the kubeconfig has down, here; null only writes the manifests. "
            "Did you mean 'down'?"
        )

    def test_without_a_kubeconfig_it_says_so(
        self, kubeconfig: Callable[[dict[str, str]], None], deployer: Callable[..., Deployer]
    ) -> None:
        kubeconfig({})
        problem, _ = deployer("deployer.context=here").problems()
        assert problem == (
            "deployer.context=here, but there is no kubeconfig, or it is empty; null only writes the manifests."
        )

    @pytest.mark.usefixtures("stand_in")
    def test_a_context_or_a_push_needs_the_engine(self, deployer: Callable[..., Deployer]) -> None:
        for override in ("deployer.context=here", "deployer.push=true"):
            (problem,) = deployer(override, "deployer.image=team/x").problems()
            assert problem.startswith("Docker's engine does not answer")

    def test_without_kubectl_a_context_is_refused_in_one_sentence(
        self, deployer: Callable[..., Deployer], released: Release, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        built = deployer("deployer.context=here")
        monkeypatch.setenv("PATH", str(tmp_path))
        problem, _ = built.problems()
        assert problem.startswith("deployer.context=here needs kubectl, which is not installed (Debian's package is")
        with pytest.raises(DeployError, match="needs kubectl"):
            built.release_to_cluster(released)

    def test_all_is_applied_as_ours_and_the_rollout_is_awaited(
        self, stand_in: StandIn, deployer: Callable[..., Deployer], released: Release
    ) -> None:
        file = deployer("deployer.context=here").release_to_cluster(released)
        assert stand_in.applied == list(yaml.safe_load_all(file.read_text()))
        assert [one["kind"] for one in stand_in.applied] == ["Deployment", "Service", "PodDisruptionBudget"]
        assert all("fieldManager=mlrunner" in query and "force=true" in query for query in stand_in.queries)

    def test_when_the_pods_do_not_become_ready_the_earlier_version_is_rolled_back_to(
        self, stand_in: StandIn, deployer: Callable[..., Deployer], released: Release
    ) -> None:
        built = deployer("deployer.context=here", "deployer.replicas=1")
        built.release_to_cluster(released)
        stand_in.outcome = "late"
        with pytest.raises(
            DeployError, match=r"The pods of diabetes are not ready after 360 s; the earlier version serves again"
        ):
            built.release_to_cluster(Release("diabetes", 4, released.folder))
        (undone,) = stand_in.undone
        assert "team/x:3" in str(undone)
        assert "team/x:4" not in str(undone)

    def test_a_first_deployment_that_does_not_become_ready_has_nothing_to_go_back_to(
        self, stand_in: StandIn, deployer: Callable[..., Deployer], released: Release
    ) -> None:
        stand_in.outcome = "late"
        with pytest.raises(DeployError, match="there is no earlier version"):
            deployer("deployer.context=here").release_to_cluster(released)
        assert stand_in.undone == []

    @pytest.mark.parametrize(
        ("refusal", "words"),
        [
            ((404, 'namespaces "x" not found'), "not found; create it with `kubectl create namespace`."),
            ((403, "deployments is forbidden."), "deployments is forbidden."),
        ],
    )
    def test_a_refusal_of_the_cluster_is_one_sentence(
        self,
        refusal: tuple[int, str],
        words: str,
        stand_in: StandIn,
        deployer: Callable[..., Deployer],
        released: Release,
    ) -> None:
        stand_in.refusal = refusal
        with pytest.raises(DeployError, match=r"^kubectl says for context here: ") as raised:
            deployer("deployer.context=here").release_to_cluster(released)
        assert str(raised.value).endswith(words)

    @pytest.mark.usefixtures("stand_in")
    def test_a_cluster_that_is_down_is_one_sentence(self, deployer: Callable[..., Deployer], released: Release) -> None:
        with pytest.raises(DeployError, match=r"^kubectl says for context down: .*refused") as raised:
            deployer("deployer.context=down").release_to_cluster(released)
        assert "\n" not in str(raised.value)

    def test_a_command_that_takes_too_long_is_ended(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "slow").write_text("#!/bin/sh\nexec sleep 30\n")
        (tmp_path / "slow").chmod(0o755)
        monkeypatch.setattr(cluster, "KUBECTL", str(tmp_path / "slow"))
        with pytest.raises(DeployError, match="has not ended after 0 s"):
            cluster.run_kubectl("version", seconds=0.2)


@pytest.mark.docker
@pytest.mark.timeout(300)
def test_a_push_that_is_refused_is_one_sentence() -> None:
    from mlrunner.groups.deployer.docker.engine import push_image

    client = docker_client()
    tag = "localhost:1/team/x:1"
    try:
        client.images.get(BASE).tag("localhost:1/team/x", "1")
        with pytest.raises(
            DeployError, match=r"^localhost:1/team/x:1 cannot be pushed \(.*\); is `docker login` needed\?$"
        ):
            push_image(client, tag)
    finally:
        remove(client, "localhost:1/team/x")
        client.close()

"""A deployer without an engine, a release and a cluster."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
import yaml
from omegaconf import DictConfig

from mlrunner.composition.resolve import resolve_group
from mlrunner.core.build import build
from mlrunner.groups.deployer.kubernetes import KubernetesDeployer, cluster
from mlrunner.groups.deployer.release import Release
from tests.support.kubernetes_api import FakeCluster, build_server

Compose = Callable[[list[str]], DictConfig]


@pytest.fixture
def deployer(compose: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., KubernetesDeployer]:
    """Build the option with some settings changed, without an engine."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")

    def built(*overrides: str) -> KubernetesDeployer:
        cfg = compose(["deployer=kubernetes", "dataset=diabetes", f"deployer.folder={tmp_path}", *overrides])
        group = resolve_group(cfg, "deployer")
        deployer: KubernetesDeployer = build(group, "deployer", KubernetesDeployer)
        return deployer

    return built


@pytest.fixture
def released(tmp_path: Path) -> Release:
    folder = tmp_path / "release"
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "requirements.txt").write_text("pandas\n")
    (folder / "release.json").write_text(json.dumps({"facts": {"run_id": "abc", "metrics": {"r2": 1}, "gate": "open"}}))
    return Release("diabetes", 3, folder)


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    """Write a kubeconfig with a context for each address; no server answers at the context `down`."""
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
def fake_cluster(kubeconfig: Callable[[dict[str, str]], None]) -> Iterator[FakeCluster]:
    """Run a cluster as the context `here`."""
    api = FakeCluster()
    server = build_server(api)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    kubeconfig({"here": f"http://127.0.0.1:{server.server_port}", "down": "http://127.0.0.1:1"})
    yield api
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip building images."""
    monkeypatch.setattr(KubernetesDeployer, "_prepare_image", lambda _, release: (f"team/x:{release.version}", ""))

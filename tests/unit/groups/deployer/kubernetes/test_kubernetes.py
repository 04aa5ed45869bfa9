"""Settings of `deployer=kubernetes`, and manifests without an engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from mlrunner.core.errors import DeployError, ProblemsError
from mlrunner.groups.deployer import kubernetes
from mlrunner.groups.deployer.kubernetes import KubernetesDeployer
from mlrunner.groups.deployer.release import Release

pytest.importorskip("kubernetes_validate")


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
        self, override: str, deployer: Callable[..., KubernetesDeployer]
    ) -> None:
        with pytest.raises(ProblemsError, match=f"deployer.{override.partition('=')[0]}="):
            deployer(f"deployer.{override}")

    @pytest.mark.parametrize("memory", ["512Mi", "1Gi", "1.5G"])
    def test_quantities_are_taken(self, memory: str, deployer: Callable[..., KubernetesDeployer]) -> None:
        assert deployer(f"deployer.memory={memory}").memory == memory

    def test_to_write_manifests_nothing_is_needed(self, deployer: Callable[..., KubernetesDeployer]) -> None:
        assert deployer().problems() == []

    def test_a_push_needs_somewhere_to_go(self, deployer: Callable[..., KubernetesDeployer]) -> None:
        problem, _ = deployer("deployer.push=true").problems()
        assert problem.startswith("deployer.push=true, but deployer.image=mlrunner-diabetes names no registry")

    def test_without_its_packages_it_says_how_to_get_them(
        self, deployer: Callable[..., KubernetesDeployer], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kubernetes, "VALIDATOR", "no_such_package")
        (problem,) = deployer().problems()
        assert (
            problem == "deployer=kubernetes needs no_such_package; install it with pip install 'mlrunner[kubernetes]'."
        )


class TestRendering:
    def test_without_an_engine_the_manifests_are_written_and_say_so(
        self, deployer: Callable[..., KubernetesDeployer], released: Release, tmp_path: Path
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
        self, deployer: Callable[..., KubernetesDeployer], released: Release, tmp_path: Path
    ) -> None:
        with pytest.raises(DeployError, match="does not answer"):
            deployer("deployer.context=minikube").release_to_cluster(released)
        assert not (tmp_path / "diabetes").exists()

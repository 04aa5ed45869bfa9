"""Rollouts through the real `kubectl`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer.kubernetes import KubernetesDeployer, cluster
from mlrunner.groups.deployer.release import Release
from tests.support.kubernetes_api import FakeCluster

pytest.importorskip("kubernetes_validate")


@pytest.mark.usefixtures("built")
class TestCluster:
    @pytest.mark.usefixtures("fake_cluster")
    def test_a_context_that_is_not_there_names_those_that_are(
        self, deployer: Callable[..., KubernetesDeployer]
    ) -> None:
        problem, _ = deployer("deployer.context=dawn").problems()
        assert problem == (
            "deployer.context=dawn, but the kubeconfig has down, here; null only writes the manifests. "
            "Did you mean 'down'?"
        )

    def test_without_a_kubeconfig_it_says_so(
        self, kubeconfig: Callable[[dict[str, str]], None], deployer: Callable[..., KubernetesDeployer]
    ) -> None:
        kubeconfig({})
        problem, _ = deployer("deployer.context=here").problems()
        assert problem == (
            "deployer.context=here, but there is no kubeconfig, or it is empty; null only writes the manifests."
        )

    @pytest.mark.usefixtures("fake_cluster")
    def test_a_context_or_a_push_needs_the_engine(self, deployer: Callable[..., KubernetesDeployer]) -> None:
        for override in ("deployer.context=here", "deployer.push=true"):
            (problem,) = deployer(override, "deployer.image=team/x").problems()
            assert problem.startswith("Docker's engine does not answer")

    def test_without_kubectl_a_context_is_refused_in_one_sentence(
        self,
        deployer: Callable[..., KubernetesDeployer],
        released: Release,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        built = deployer("deployer.context=here")
        monkeypatch.setenv("PATH", str(tmp_path))
        problem, _ = built.problems()
        assert problem.startswith("deployer.context=here needs kubectl, which is not installed (Debian's package is")
        with pytest.raises(DeployError, match=r"needs kubectl.*; install it, or leave deployer"):
            built.release_to_cluster(released)

    def test_all_is_applied_as_ours_and_the_rollout_is_awaited(
        self, fake_cluster: FakeCluster, deployer: Callable[..., KubernetesDeployer], released: Release
    ) -> None:
        file = deployer("deployer.context=here").release_to_cluster(released)
        assert fake_cluster.applied == list(yaml.safe_load_all(file.read_text()))
        assert [manifest["kind"] for manifest in fake_cluster.applied] == [
            "Deployment",
            "Service",
            "PodDisruptionBudget",
        ]
        assert all("fieldManager=mlrunner" in query and "force=true" in query for query in fake_cluster.queries)

    def test_when_the_pods_do_not_become_ready_the_earlier_version_is_rolled_back_to(
        self, fake_cluster: FakeCluster, deployer: Callable[..., KubernetesDeployer], released: Release
    ) -> None:
        built = deployer("deployer.context=here", "deployer.replicas=1")
        built.release_to_cluster(released)
        fake_cluster.outcome = "late"
        with pytest.raises(
            DeployError,
            match=r"pods of diabetes are not ready after 360 s; the earlier version serves again.*See kubectl -n ",
        ):
            built.release_to_cluster(Release("diabetes", 4, released.folder))
        (rollback,) = fake_cluster.rollbacks
        assert "team/x:3" in str(rollback)
        assert "team/x:4" not in str(rollback)

    def test_a_first_deployment_that_does_not_become_ready_has_nothing_to_go_back_to(
        self, fake_cluster: FakeCluster, deployer: Callable[..., KubernetesDeployer], released: Release
    ) -> None:
        fake_cluster.outcome = "late"
        with pytest.raises(DeployError, match="there is no earlier version"):
            deployer("deployer.context=here").release_to_cluster(released)
        assert fake_cluster.rollbacks == []

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
        fake_cluster: FakeCluster,
        deployer: Callable[..., KubernetesDeployer],
        released: Release,
    ) -> None:
        fake_cluster.refusal = refusal
        with pytest.raises(DeployError, match=r"^kubectl says for context here: ") as raised:
            deployer("deployer.context=here").release_to_cluster(released)
        assert str(raised.value).endswith(words)

    @pytest.mark.usefixtures("fake_cluster")
    def test_a_cluster_that_is_down_is_one_sentence(
        self, deployer: Callable[..., KubernetesDeployer], released: Release
    ) -> None:
        with pytest.raises(DeployError, match=r"^kubectl says for context down: .*refused") as raised:
            deployer("deployer.context=down").release_to_cluster(released)
        assert "\n" not in str(raised.value)

    def test_a_command_that_takes_too_long_is_ended(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "slow").write_text("#!/bin/sh\nexec sleep 30\n")
        (tmp_path / "slow").chmod(0o755)
        monkeypatch.setattr(cluster, "KUBECTL", str(tmp_path / "slow"))
        with pytest.raises(DeployError, match="has not ended after 0 s"):
            cluster.run_kubectl("version", seconds=0.2)

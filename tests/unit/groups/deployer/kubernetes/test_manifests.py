"""Manifests that a cluster accepts, and what they promise."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlrunner.groups.deployer.docker import dockerfile
from mlrunner.groups.deployer.kubernetes import manifests, schema
from tests.support.kubernetes_api import make_workload

pytest.importorskip("kubernetes_validate")


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
def test_what_is_rendered_is_valid(changed: dict[str, Any]) -> None:
    schema.validate(manifests.render(make_workload(**changed)))


@settings(max_examples=20, deadline=None)
@given(
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}", fullmatch=True),
    st.integers(1, 9),
    st.text(st.characters(codec="utf-8"), max_size=30),
)
def test_any_name_and_gate_reason_is_valid(name: str, replicas: int, reason: str) -> None:
    rendered = manifests.render(make_workload(name=name, replicas=replicas, facts={"gate": reason}))
    schema.validate(rendered)
    for manifest in rendered:
        assert re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", manifest["metadata"]["name"])


def test_written_and_read_it_is_the_same_without_references() -> None:
    rendered = manifests.render(make_workload())
    text = manifests.to_yaml(rendered)
    assert list(yaml.safe_load_all(text)) == rendered
    assert not re.search(r"[&*]id\d", text)


def test_pods_are_replaced_without_a_gap() -> None:
    spec = manifests.build_deployment(make_workload())["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert "sleep" in str(container["lifecycle"]["preStop"])
    assert pod["terminationGracePeriodSeconds"] > manifests.DRAIN_SECONDS + 30
    assert container["readinessProbe"]["httpGet"] == {"path": "/health", "port": "http"}
    assert container["livenessProbe"]["httpGet"] == {"path": "/ping", "port": "http"}
    assert container["startupProbe"]["failureThreshold"] * container["startupProbe"]["periodSeconds"] == 60


def test_a_pod_may_do_nothing_but_serve() -> None:
    pod = manifests.build_deployment(make_workload())["spec"]["template"]["spec"]
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


def test_limits_are_requests_and_threads_follow_them() -> None:
    (container,) = manifests.build_deployment(make_workload(cpus=1.5))["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"] == container["resources"]["requests"] == {"memory": "1Gi", "cpu": "1.5"}
    assert {"name": "OMP_NUM_THREADS", "value": "2"} in container["env"]


def test_the_selector_is_the_same_for_every_version_and_all_three_agree() -> None:
    old, new = (manifests.render(make_workload(version=version)) for version in (1, 2))
    selectors = [
        *(rendered[0]["spec"]["selector"]["matchLabels"] for rendered in (old, new)),
        new[1]["spec"]["selector"],
        new[2]["spec"]["selector"]["matchLabels"],
    ]
    assert all(selector == selectors[0] for selector in selectors)
    assert selectors[0].items() <= new[0]["spec"]["template"]["metadata"]["labels"].items()
    assert new[0]["metadata"]["labels"]["app.kubernetes.io/version"] == "2"


def test_a_single_pod_has_no_budget() -> None:
    kinds = [manifest["kind"] for manifest in manifests.render(make_workload(replicas=1))]
    assert kinds == ["Deployment", "Service"]

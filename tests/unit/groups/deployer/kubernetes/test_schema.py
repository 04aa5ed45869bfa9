"""Validation of manifests against the schema of Kubernetes."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer.kubernetes import manifests, schema
from tests.support.kubernetes_api import make_workload

pytest.importorskip("kubernetes_validate")


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("spec.replicas", "two", r"Deployment olist-1 is not valid for Kubernetes .*: spec\.replicas: 'two'"),
        ("spec.replica", 2, "'replica' was unexpected"),
        ("spec.template.spec.containers.0.ports.0.containerPort", "http", "containerPort: 'http'"),
        ("kind", "Deploymentt", "Deploymentt olist-1 is of a kind"),
    ],
)
def test_a_broken_one_is_refused_with_its_place(place: str, value: object, words: str) -> None:
    broken = copy.deepcopy(manifests.build_deployment(make_workload()))
    *above, last = place.split(".")
    at: Any = broken
    for part in above:
        at = at[int(part) if part.isdigit() else part]
    at[last] = value
    with pytest.raises(DeployError, match=words):
        schema.validate([broken])


def test_an_empty_one_is_refused() -> None:
    with pytest.raises(DeployError, match="is of a kind"):
        schema.validate([{}])

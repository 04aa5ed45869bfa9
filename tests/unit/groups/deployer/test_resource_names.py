"""Names for Docker and Kubernetes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlrunner.groups.deployer.resource_names import format_label, format_repository


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}", fullmatch=True))
def test_every_deployment_s_name_makes_names_for_docker_and_kubernetes(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+((\.|_|-)[a-z0-9]+)*", format_repository(f"mlrunner-{name}"))
    assert re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", format_label(name))


@given(st.text(max_size=80))
def test_a_name_that_fits_stays(name: str) -> None:
    assert format_label(format_label(name)) == format_label(name)
    assert format_repository(format_repository(name)) == format_repository(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mlrunner-Olist", "mlrunner-olist"),
        ("localhost:5000/Team/x", "localhost:5000/team/x"),
        ("registry.example.org/team/a__b", "registry.example.org/team/a_b"),
        ("team/x.", "team/x"),
    ],
)
def test_a_registry_s_address_stays(name: str, expected: str) -> None:
    assert format_repository(name) == expected

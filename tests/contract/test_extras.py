"""The extras of pyproject.toml can be installed beside each other, the lock, and the ZenML integrations of a stack."""

from __future__ import annotations

import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.front_door import PROJECT


def read_lock(name: str) -> dict[str, str]:
    lines = (line.partition("==") for line in (PROJECT / name).read_text().splitlines())
    return {canonicalize_name(name): version.split(";")[0].strip() for name, _, version in lines if version}


LOCK = read_lock("requirements.lock")
EXTRAS = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["optional-dependencies"]

APART = {"ray"}  # 200 MB: its tests run where it is installed, as by .ci/ray


@pytest.mark.parametrize("extra", sorted(set(EXTRAS) - APART))
def test_an_extra_is_in_the_environment_of_the_tests(extra: str) -> None:
    """One that is not may change the versions of everything else: a launcher of Hydra took cloudpickle back to 2023."""
    for requirement in map(Requirement, EXTRAS[extra]):
        if requirement.name == "mlrunner":
            assert requirement.extras == set(EXTRAS) - APART - {"dev"}
        else:
            assert requirement.specifier.contains(LOCK[canonicalize_name(requirement.name)])


def test_ray_is_installed_for_its_tests_without_changing_the_lock() -> None:
    pins = read_lock(".ci/ray.lock")
    ray = pins.pop("ray")
    assert all(requirement.specifier.contains(ray) for requirement in map(Requirement, EXTRAS["ray"]))
    assert pins
    assert pins == {name: LOCK[name] for name in pins}


@pytest.mark.parametrize("integration", ["kubernetes", "s3", "mlflow"])
def test_the_integrations_of_a_stack_can_be_installed_beside_the_extras(integration: str) -> None:
    from zenml.integrations.registry import integration_registry

    for requirement in map(Requirement, integration_registry.select_integration_requirements(integration)):
        locked = LOCK.get(canonicalize_name(requirement.name))
        assert locked is None or requirement.specifier.contains(locked), f"{requirement}, but {locked} is locked"

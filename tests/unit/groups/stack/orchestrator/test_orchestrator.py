"""Orchestrators that run steps in containers; `tests/apps/test_orchestrators.py` finds a real one."""

from __future__ import annotations

from mlrunner.groups.stack.orchestrator import Orchestrator


def test_the_stack_of_an_orchestrator_is_named_as_it_is_chosen() -> None:
    assert str(Orchestrator("team", "kubernetes", {})) == "stack.name=team (orchestrator kubernetes)"


def test_only_the_containers_of_local_docker_see_folders_of_this_machine() -> None:
    assert Orchestrator("docker", "local_docker", {}).is_local_docker
    assert not Orchestrator("team", "kubernetes", {}).is_local_docker

"""Stacks whose orchestrator runs each step of a pipeline in a container; the steps of other stacks run in this process.

ZenML is imported here: open the stack first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from zenml.client import Client
from zenml.enums import StackComponentType

from mlrunner.core import environment
from mlrunner.core.errors import ConfigError

IN_PROCESS = "local"
LOCAL_DOCKER = "local_docker"


@dataclass(frozen=True)
class Orchestrator:
    """An orchestrator that runs each step in a container.

    Args:
        stack: ZenML's name of the stack.
        flavor: ZenML's flavor.
        settings: Settings of the component, with references to secrets as they were written.
    """

    stack: str
    flavor: str
    settings: Mapping[str, Any]

    def __str__(self) -> str:
        return f"stack.name={self.stack} (orchestrator {self.flavor})"

    @property
    def is_local_docker(self) -> bool:
        """Whether the containers run on this machine, where folders can be mounted into them."""
        return self.flavor == LOCAL_DOCKER


def find_orchestrator() -> Orchestrator | None:
    """Find the orchestrator of the active stack; None when it runs steps in this process."""
    return _read_orchestrator(str(environment.variable("ZENML_ACTIVE_STACK_ID")))


@cache
def _read_orchestrator(stack_id: str) -> Orchestrator | None:
    stack = Client().get_stack(stack_id)
    component = stack.components[StackComponentType.ORCHESTRATOR][0]
    if component.flavor_name == IN_PROCESS:
        return None
    return Orchestrator(stack.name, component.flavor_name, component.configuration)


def refuse_search() -> None:
    """Refuse a search on a stack that runs steps in containers.

    Raises:
        ConfigError: When the orchestrator of the active stack is such a one.
    """
    orchestrator = find_orchestrator()
    if orchestrator is None:
        return
    raise ConfigError(
        f"{orchestrator} runs each step in a container, and a search is one pipeline that its own process drives; take "
        "a stack whose orchestrator is local, with executor=dask or executor=ray for trials on other machines and "
        "stack.artifact_store=s3://bucket/folder for their tables, or run the whole command as one job of your cluster."
    )

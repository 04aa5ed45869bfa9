"""Config group `deployer`: where a model goes once the gate has opened. The only part that touches the world."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass as plain_dataclass
from dataclasses import field
from typing import Any

from mlrunner.core.build import dataclass
from mlrunner.groups.gate import Decision


@plain_dataclass(frozen=True)
class Candidate:
    """A saved model that asks to be deployed.

    Args:
        uri: MLflow's `models:/m-<id>`; empty when the run saved none.
        run_id: The MLflow run that made it.
        pipeline: The same model in memory; it takes raw rows.
        metrics: Part and name to value, as the gate saw them.
        against: The version that it was compared with, 0 for none; None where the gate compared with none.
        facts: What else `/version` and the page for people tell: run name, model, task, target, config hash.
    """

    uri: str
    run_id: str
    pipeline: Any
    metrics: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    against: int | None = None


@plain_dataclass(frozen=True)
class Deployment:
    """What became of a candidate.

    Args:
        name: Of the deployment.
        version: Of the registered model.
        url: Where it serves; None when nothing of ours does.
        where: The same for people: `at http://…`, `in the registry, alias champion`.
    """

    name: str
    version: int
    url: str | None
    where: str


class Deployer(ABC):
    """Where a model goes."""

    @property
    def is_none(self) -> bool:
        """Whether nothing would be deployed."""
        return False

    @property
    def registered_name(self) -> str | None:
        """The registered model whose alias `champion` is what is deployed; None without one."""
        return None

    def problems(self) -> list[str]:
        """Say what would keep a model from being deployed, a sentence each, before anything is run."""
        return []

    @abstractmethod
    def deploy(self, candidate: Candidate, decision: Decision) -> Deployment | None:
        """Deploy a model if the gate opened, and write the decision into the history.

        Returns:
            What is deployed, or None.

        Raises:
            DeployError: When it cannot be; what was deployed before still is.
        """


@dataclass
class NoDeployer(Deployer):
    """Deploys nothing."""

    @property
    def is_none(self) -> bool:
        """See `Deployer.is_none`."""
        return True

    def deploy(self, candidate: Candidate, decision: Decision) -> Deployment | None:
        """Leave the world as it is."""
        del candidate, decision
        return None

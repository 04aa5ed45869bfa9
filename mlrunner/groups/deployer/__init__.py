"""Config group `deployer`: deploys the model of a run when the gate is open."""

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
    """A saved model to deploy.

    Args:
        uri: Address `models:/m-<id>` in MLflow; empty when the run saved no model.
        run_id: MLflow run that made the model.
        pipeline: The same model in memory, a pipeline that takes raw rows.
        metrics: Mapping from split part and metric name to value, as the gate saw them.
        against: Version that the gate compared it with; 0 when none was deployed, None when the gate does not compare.
        facts: Facts for `/version` and the start page: run name, model, task, target, config hash.
    """

    uri: str
    run_id: str
    pipeline: Any
    metrics: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    against: int | None = None


@plain_dataclass(frozen=True)
class Deployment:
    """A deployed model version.

    Args:
        name: Name of the deployment.
        version: Version of the registered model.
        url: Stable address; None when no server of ours runs.
        where: Place as text: `at http://…`, `in the registry, alias champion`.
    """

    name: str
    version: int
    url: str | None
    where: str


class Deployer(ABC):
    """Base class of deployers."""

    @property
    def is_none(self) -> bool:
        """Whether this deployer never deploys."""
        return False

    @property
    def registered_name(self) -> str | None:
        """Registered model whose alias `champion` is the deployed version; None without one."""
        return None

    @property
    def folders(self) -> tuple[str, ...]:
        """Folders of this machine in which a deployment writes."""
        return ()

    @property
    def needs_this_machine(self) -> bool:
        """Whether a deployment starts servers, or files to apply, on the machine where its step runs."""
        return False

    def problems(self) -> list[str]:
        """List what would prevent a deployment, one sentence each, before the run starts."""
        return []

    @abstractmethod
    def deploy(self, candidate: Candidate, decision: Decision) -> Deployment | None:
        """Deploy a model if the gate is open, and log the decision in the history.

        Args:
            candidate: Model to deploy.
            decision: Decision of the gate.

        Returns:
            The deployed version; None when the gate is closed.

        Raises:
            DeployError: When the deployment fails; the previous one is untouched.
        """


@dataclass
class NoDeployer(Deployer):
    """Deploys nothing."""

    @property
    def is_none(self) -> bool:
        """See `Deployer.is_none`."""
        return True

    def deploy(self, candidate: Candidate, decision: Decision) -> Deployment | None:
        """Do nothing."""
        del candidate, decision
        return None

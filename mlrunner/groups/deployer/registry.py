"""Config option `deployer=registry`: a version in MLflow's model registry, for servers that load models from there."""

from __future__ import annotations

from typing import ClassVar

from mlrunner.core.build import dataclass
from mlrunner.groups.deployer import Candidate, Deployment
from mlrunner.groups.deployer.base_registered import RegisteredDeployer
from mlrunner.groups.gate import Decision


@dataclass
class RegistryDeployer(RegisteredDeployer):
    """Registers the model and moves the alias `champion` to it, without a server."""

    event: ClassVar[str] = "registered"

    def deploy_locked(self, candidate: Candidate, decision: Decision) -> Deployment:
        """See `RegisteredDeployer.deploy_locked`."""
        from mlrunner.groups.deployer import packaging
        from mlrunner.tracking import model_registry

        version = packaging.register_candidate(self.name, candidate, decision)
        model_registry.set_alias(self.name, model_registry.CHAMPION, version)
        return Deployment(self.name, version, None, "in the registry, alias champion")

"""Config option `deployer=registry`: a version in MLflow's model registry, for whoever serves from there."""

from __future__ import annotations

from typing import ClassVar

from mlrunner.core.build import dataclass
from mlrunner.groups.deployer import Candidate, Deployment
from mlrunner.groups.deployer.base_registered import RegisteredDeployer
from mlrunner.groups.gate import Decision


@dataclass
class RegistryDeployer(RegisteredDeployer):
    """Registers the model and points the alias `champion` at it; nothing is served."""

    event: ClassVar[str] = "registered"

    def put(self, candidate: Candidate, decision: Decision) -> Deployment:
        """See `RegisteredDeployer.put`."""
        from mlrunner.groups.deployer import packaging
        from mlrunner.tracking import model_registry

        version = packaging.registered(self.name, candidate, decision)
        model_registry.set_alias(self.name, model_registry.CHAMPION, version)
        return Deployment(self.name, version, None, "in the registry, alias champion")

"""Config option `deployer=registry`: a version in MLflow's model registry, for whoever serves from there."""

from __future__ import annotations

from typing import ClassVar

from mlrunner.deployer import Candidate, Deployment
from mlrunner.deployer.registered import RegisteredDeployer
from mlrunner.gate import Decision
from mlrunner.schema import dataclass


@dataclass
class RegistryDeployer(RegisteredDeployer):
    """Registers the model and points the alias `champion` at it; nothing is served."""

    event: ClassVar[str] = "registered"

    def put(self, candidate: Candidate, decision: Decision) -> Deployment:
        """See `RegisteredDeployer.put`."""
        from mlrunner.deployer import releases
        from mlrunner.tracking import registry

        version = releases.registered(self.name, candidate, decision)
        registry.set_alias(self.name, registry.CHAMPION, version)
        return Deployment(self.name, version, None, "in the registry, alias champion")

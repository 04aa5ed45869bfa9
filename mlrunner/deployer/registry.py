"""Deployment as a version in MLflow's model registry, for whoever serves from there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from mlrunner.deployer import Candidate, Deployer, Deployment
from mlrunner.deployer.ledger import Ledger
from mlrunner.gate import Decision
from mlrunner.schema import dataclass


@dataclass
class RegistryDeployer(Deployer):
    """Registers the model and points the alias `champion` at it; nothing is served.

    Args:
        name: Of the registered model.
        folder: Holds a folder for each deployment, here with a history only.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=60)]
    folder: str

    @property
    def registered_name(self) -> str | None:
        """See `Deployer.registered_name`."""
        return self.name

    def deploy(self, candidate: Candidate, decision: Decision) -> Deployment | None:
        """See `Deployer.deploy`."""
        from mlrunner.deployer import releases
        from mlrunner.tracking import registry

        ledger = Ledger(Path(self.folder) / self.name)
        told = {"run_id": candidate.run_id, "reason": decision.reason}
        if not decision.deploy:
            ledger.note("refused", **told)
            return None
        with ledger.lock():
            releases.refuse_overtaken(self.name, candidate)
            version = releases.registered(self.name, candidate, decision)
            registry.set_alias(self.name, registry.CHAMPION, version)
            ledger.note("registered", version=version, **told)
        return Deployment(self.name, version, None)

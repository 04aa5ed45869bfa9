"""Config group `deployer`: where a model goes once the gate has opened."""

from __future__ import annotations

from abc import ABC, abstractmethod

from mlrunner.gate import Decision
from mlrunner.schema import dataclass


class Deployer(ABC):
    """The only part that touches the world."""

    @abstractmethod
    def deploy(self, model_uri: str, decision: Decision) -> str | None:
        """Deploy a model if the gate opened.

        Args:
            model_uri: MLflow's `models:/m-<id>`.
            decision: The gate's.

        Returns:
            Where the model serves, or None.
        """


@dataclass
class NoDeployer(Deployer):
    """Deploys nothing."""

    def deploy(self, model_uri: str, decision: Decision) -> str | None:
        """Leave the world as it is."""
        del model_uri, decision
        return None

"""Config group `gate`: may this model be deployed?"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from mlrunner.schema import dataclass


class Decision(NamedTuple):
    """What the gate says, and why."""

    deploy: bool
    reason: str


class Gate(ABC):
    """A pure function of numbers."""

    @abstractmethod
    def decide(self, metrics: dict[str, float]) -> Decision:
        """Judge a model by its metrics.

        Args:
            metrics: Metric name to value, as the run logged them.
        """


@dataclass
class NoGate(Gate):
    """Never opens, for nobody asked for a deployment."""

    def decide(self, metrics: dict[str, float]) -> Decision:
        """Decline, whatever the metrics."""
        del metrics
        return Decision(deploy=False, reason="gate=none: no deployment was asked for")

"""Config group `gate`: may this model be deployed? Pure functions of numbers; the reason is a sentence for people.

Here stands what every gate is; the options are in `conditions`, `costs`, `champion` and `all_of`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass as plain_dataclass
from typing import ClassVar, NamedTuple

from mlrunner.core.build import dataclass


class Decision(NamedTuple):
    """What the gate says, and why."""

    deploy: bool
    reason: str


@plain_dataclass(frozen=True)
class Evidence:
    """What is known of a model that is judged.

    Args:
        metrics: Part and name to value, like `test/r2`; also `serve/p95_ms` (milliseconds of a one-row prediction
            at the 95th percentile) and `model/megabytes` (size as saved) where the gate needs costs.
        rows: Digest of the rows that judged; only scores of the same rows are compared.
        name: What the reason calls the model, like `olist/3`.
        problem: Why it could not be scored; None when it was.
    """

    metrics: Mapping[str, float]
    rows: str = ""
    name: str = ""
    problem: str | None = None


class Gate(ABC):
    """May this model be deployed?"""

    switch: ClassVar[str | None] = None  # the setting without which nothing can be judged, where it may be null

    @property
    def is_none(self) -> bool:
        """Whether it judges nothing."""
        return False

    @property
    def metrics(self) -> dict[str, str]:
        """The scores it reads, costs left out: config key to full name, like `gate.metric` to `test/r2`."""
        return {}

    @property
    def needs_champion(self) -> bool:
        """Whether the deployed model has to be scored as well."""
        return False

    @property
    def needs_costs(self) -> bool:
        """Whether `serve/p95_ms` or `model/megabytes` is read."""
        return False

    @property
    def unset(self) -> str | None:
        """The setting that is null though nothing can be judged without it; None when there is none."""
        return self.switch if self.switch is not None and getattr(self, self.switch) is None else None

    def problems(self, task: str | None = None, key: str = "gate") -> list[str]:
        """Say what is wrong with the settings by themselves, a sentence each.

        Args:
            task: `regression` or `classification`; None while it is not known.
            key: The gate's place in the composition.
        """
        del task, key
        return []

    @abstractmethod
    def decide(self, candidate: Evidence, champion: Evidence | None) -> Decision:
        """Judge a model; wrong settings keep the gate shut.

        Args:
            candidate: The model that asks to be deployed.
            champion: The model that is deployed; None while none is.
        """


@dataclass
class NoGate(Gate):
    """Opens for every model: whoever chose a deployer and no gate wants it deployed."""

    @property
    def is_none(self) -> bool:
        """See `Gate.is_none`."""
        return True

    def decide(self, candidate: Evidence, champion: Evidence | None) -> Decision:
        """Let it through, whatever the numbers."""
        del candidate, champion
        return Decision(deploy=True, reason="gate=none: no condition was set")

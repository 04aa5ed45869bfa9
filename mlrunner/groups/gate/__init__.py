"""Config group `gate`: decide from numbers alone whether a model may be deployed, and give the reason.

This module has the base class; the options are in `thresholds`, `cost_limits`, `champion` and `all_of`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass as plain_dataclass
from typing import ClassVar, NamedTuple

from mlrunner.core.build import dataclass


class Decision(NamedTuple):
    """Decision of a gate.

    Args:
        deploy: Whether the model may be deployed.
        reason: One sentence without its full stop.
    """

    deploy: bool
    reason: str


@plain_dataclass(frozen=True)
class GateInputs:
    """Measurements of a model that a gate decides on.

    Args:
        metrics: Values by full name, like `test/r2`; also `serve/p95_ms` (95th percentile of the latency of a one-row
            prediction, in milliseconds) and `model/megabytes` (size as saved) where the gate needs costs.
        rows: Digest of the scored rows; only scores of the same rows are compared.
        name: Name of the model in the reason, like `olist/3`.
        problem: Reason why the model could not be scored; None when it was.
        invalid: Reason why the run of a champion is invalid, so that it need not be beaten; None when it is not.
        difference: How its target, task, classes or columns differ from the candidate's; None when they are equal.
    """

    metrics: Mapping[str, float]
    rows: str = ""
    name: str = ""
    problem: str | None = None
    invalid: str | None = None
    difference: str | None = None


class Gate(ABC):
    """Base of the gates."""

    required: ClassVar[str | None] = None  # name of the setting that is null by default and has to be set

    @property
    def is_none(self) -> bool:
        """Whether the gate has no condition."""
        return False

    @property
    def metrics(self) -> dict[str, str]:
        """Full names of the metrics that the gate reads, without costs, by config key."""
        return {}

    @property
    def needs_champion(self) -> bool:
        """Whether the deployed model has to be scored as well."""
        return False

    @property
    def needs_costs(self) -> bool:
        """Whether the gate reads `serve/p95_ms` or `model/megabytes`."""
        return False

    @property
    def missing_setting(self) -> str | None:
        """Name of the required setting that is null; None when all are set."""
        return self.required if self.required is not None and getattr(self, self.required) is None else None

    def problems(self, task: str | None = None, key: str = "gate") -> list[str]:
        """Return one sentence for each mistake in the settings.

        Args:
            task: "regression" or "classification"; None when it is not known yet.
            key: Configuration key of the gate.
        """
        del task, key
        return []

    @abstractmethod
    def decide(self, candidate: GateInputs, champion: GateInputs | None) -> Decision:
        """Decide whether a model may be deployed; mistakes in the settings keep the gate closed.

        Args:
            candidate: Measurements of the model to deploy.
            champion: Measurements of the deployed model; None when nothing is deployed.
        """


@dataclass
class NoGate(Gate):
    """Gate without a condition: it opens for every model."""

    @property
    def is_none(self) -> bool:
        """See `Gate.is_none`."""
        return True

    def decide(self, candidate: GateInputs, champion: GateInputs | None) -> Decision:
        """See `Gate.decide`."""
        del candidate, champion
        return Decision(deploy=True, reason="gate=none: no condition was set")

"""Conditions of `gate=all_of` on the costs of a model: its latency and its size."""

from __future__ import annotations

from abc import ABC
from typing import Annotated, ClassVar

from pydantic import Field

from mlrunner.core.build import dataclass
from mlrunner.groups.gate import Decision, Gate, GateInputs
from mlrunner.groups.gate.comparison import compare_to_threshold, refuse

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class CostLimit(Gate, ABC):
    """Base of the upper limits of a cost; the required setting is the limit."""

    cost: ClassVar[str]
    unit: ClassVar[str]

    @property
    def needs_costs(self) -> bool:
        """See `Gate.needs_costs`."""
        return True

    def problems(self, task: str | None = None, key: str = "gate") -> list[str]:
        """See `Gate.problems`."""
        del task
        return [f"{key}.{self.missing_setting} is not set; give it {self.unit}."] if self.missing_setting else []

    def decide(self, candidate: GateInputs, champion: GateInputs | None) -> Decision:
        """See `Gate.decide`; equal passes."""
        del champion
        limit = getattr(self, str(self.required))
        if limit is None:
            return refuse(self.problems())
        return compare_to_threshold(candidate, self.cost, limit, "minimize")


@dataclass
class Latency(CostLimit):
    """Gate that opens for a low latency of a one-row prediction.

    Args:
        max_p95_ms: Upper limit of the 95th percentile, in milliseconds.
    """

    required: ClassVar[str | None] = "max_p95_ms"
    cost: ClassVar[str] = "serve/p95_ms"
    unit: ClassVar[str] = "milliseconds"
    max_p95_ms: Positive | None = None


@dataclass
class Size(CostLimit):
    """Gate that opens for a small model.

    Args:
        max_megabytes: Upper limit of the size as saved, in megabytes.
    """

    required: ClassVar[str | None] = "max_megabytes"
    cost: ClassVar[str] = "model/megabytes"
    unit: ClassVar[str] = "megabytes"
    max_megabytes: Positive | None = None

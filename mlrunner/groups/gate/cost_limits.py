"""Conditions of `gate=all_of` on what a model costs to serve: its latency and its size."""

from __future__ import annotations

from abc import ABC
from typing import Annotated, ClassVar

from pydantic import Field

from mlrunner.core.build import dataclass
from mlrunner.groups.gate import Decision, Evidence, Gate
from mlrunner.groups.gate.comparing import against_bar, refusal

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Cost(Gate, ABC):
    """A cost that may be at most its limit, which is the setting that `switch` names."""

    cost: ClassVar[str]
    unit: ClassVar[str]

    @property
    def needs_costs(self) -> bool:
        """See `Gate.needs_costs`."""
        return True

    def problems(self, task: str | None = None, key: str = "gate") -> list[str]:
        """Refuse a limit that is not set."""
        del task
        return [f"{key}.{self.unset} is not set; give it {self.unit}."] if self.unset else []

    def decide(self, candidate: Evidence, champion: Evidence | None) -> Decision:
        """Hold the cost against its limit; equal passes."""
        del champion
        limit = getattr(self, str(self.switch))
        if limit is None:
            return refusal(self.problems())
        return against_bar(candidate, self.cost, limit, "minimize")


@dataclass
class Latency(Cost):
    """Opens for a model that answers one row fast enough, at the 95th percentile."""

    switch: ClassVar[str | None] = "max_p95_ms"
    cost: ClassVar[str] = "serve/p95_ms"
    unit: ClassVar[str] = "milliseconds"
    max_p95_ms: Positive | None = None


@dataclass
class Size(Cost):
    """Opens for a model that is small enough as saved."""

    switch: ClassVar[str | None] = "max_megabytes"
    cost: ClassVar[str] = "model/megabytes"
    unit: ClassVar[str] = "megabytes"
    max_megabytes: Positive | None = None

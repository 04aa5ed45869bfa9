"""Gates that hold one metric against a bar: `gate=threshold` and `gate=min_accuracy`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, cast

from pydantic import Field

from mlrunner.core.build import dataclass
from mlrunner.core.errors import nearest
from mlrunner.groups.gate import Decision, Evidence, Gate
from mlrunner.groups.gate.comparing import Goal, against_bar, exact, refusal

if TYPE_CHECKING:
    from mlrunner.core.column_roles import Task

Split = Literal["test", "validation", "cv", "train"]
Number = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


def _improves(metric: str) -> Goal:
    from mlrunner.evaluation.metrics import (
        direction,  # brings pandas, and a gate is imported where there is no need of it
    )

    return direction(metric, "gate.metric")


def _names(task: str | None) -> list[str]:
    from mlrunner.core.metric_names import GREATER_IS_BETTER
    from mlrunner.evaluation.metrics import metric_names

    return list(GREATER_IS_BETTER) if task is None else metric_names(cast("Task", task))


@dataclass
class MetricGate(Gate):
    """A gate that judges by one metric; a direction only says again which way it improves."""

    metric: str | list[str]
    direction: Goal | None = None
    split: Split = "test"

    @property
    def full_name(self) -> str:
        """The metric with its split, like `test/r2`."""
        return f"{self.split}/{self.metric}"

    @property
    def goal(self) -> Goal:
        """Which way the metric improves."""
        return _improves(str(self.metric))

    @property
    def metrics(self) -> dict[str, str]:
        """The metric; none while several are named, which `problems` refuses."""
        return {"gate.metric": self.full_name} if isinstance(self.metric, str) else {}

    def problems(self, task: str | None = None, key: str = "gate") -> list[str]:
        """Refuse several metrics, one that the task does not have, and a direction that contradicts it."""
        known = _names(task)
        if not isinstance(self.metric, str):
            first = next((name for name in self.metric if name in known), known[0])
            told = ", ".join(self.metric)
            return [f"{key}.metric is [{told}], but a gate judges by one metric; name one, like {key}.metric={first}."]
        if self.metric not in known:
            close = nearest(self.metric.rpartition("/")[2], known)
            told = f"{key}.metric={self.metric} is not a metric of {task or 'any task'}"
            return [f"{told}; choose {', '.join(known)}.{close}"]
        if self.direction not in (None, self.goal):
            told = f"{key}.direction={self.direction} contradicts {key}.metric={self.metric}"
            better = "greater" if self.goal == "maximize" else "smaller"
            return [f"{told}, which is better the {better} it is; leave {key}.direction null."]
        return []

    def bar_problems(self, bar: float | None, key: str) -> list[str]:
        """Refuse a bar that no model can reach: every metric of ours is at most 1, or at least 0 where less is better.

        Args:
            bar: The threshold; None without one.
            key: The gate's place in the composition.
        """
        if bar is None or self.metric not in _names(None):
            return []
        told = f"{key}.threshold={exact(bar)} is out of reach"
        if self.goal == "maximize":
            return [f"{told}: no {self.metric} is above 1; choose a smaller number."] if bar > 1 else []
        return [f"{told}: no {self.metric} is below 0; choose a greater number."] if bar < 0 else []


@dataclass
class Threshold(MetricGate):
    """Opens for a metric of at least the threshold, or at most where less is better; equal passes."""

    switch: ClassVar[str | None] = "threshold"
    threshold: Number | None = None

    def problems(self, task: str | None = None, key: str = "gate") -> list[str]:
        """Refuse what `MetricGate` refuses, a threshold that is not set, and one out of reach."""
        told = [*super().problems(task, key), *self.bar_problems(self.threshold, key)]
        named = self.metric if isinstance(self.metric, str) else "value"
        return [*told, f"{key}.threshold is not set; give the {named} that is good enough."] if self.unset else told

    def decide(self, candidate: Evidence, champion: Evidence | None) -> Decision:
        """Hold the metric against the threshold."""
        del champion
        wrong = self.problems()
        if wrong or self.threshold is None:
            return refusal(wrong)
        return against_bar(candidate, self.full_name, self.threshold, self.goal)


@dataclass
class MinAccuracy(Gate):
    """Opens for an accuracy of at least `min_accuracy`; equal passes."""

    min_accuracy: Share
    split: Split = "test"

    @property
    def metrics(self) -> dict[str, str]:
        """The accuracy."""
        return {"gate.min_accuracy": f"{self.split}/accuracy"}

    def problems(self, task: str | None = None, key: str = "gate") -> list[str]:
        """Refuse a regression, which has no accuracy."""
        instead = "choose gate=threshold gate.metric=r2 gate.threshold=NUMBER"
        told = f"{key}.min_accuracy: accuracy is not a metric of a regression; {instead}."
        return [told] if task == "regression" else []

    def decide(self, candidate: Evidence, champion: Evidence | None) -> Decision:
        """Hold the accuracy against its minimum."""
        del champion
        return against_bar(candidate, f"{self.split}/accuracy", self.min_accuracy, "maximize")

"""Gates that compare one metric with a threshold: `gate=threshold` and `gate=min_accuracy`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, cast

from pydantic import Field

from mlrunner.core.build import dataclass
from mlrunner.core.errors import nearest
from mlrunner.core.metric_names import GREATER_IS_BETTER
from mlrunner.core.score_settings import CustomMetric
from mlrunner.groups.gate import Decision, Gate, GateInputs
from mlrunner.groups.gate.comparison import Goal, compare_to_threshold, format_setting, refuse

if TYPE_CHECKING:
    from mlrunner.core.column_roles import Task

Split = Literal["test", "validation", "cv", "train"]
Number = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


@dataclass
class MetricGate(Gate):
    """Base of the gates that compare one metric.

    Args:
        metric: Name of the metric without its split, like `r2`; several names are reported by `problems`.
        direction: Direction in which the metric improves; None: the metric's own, which it must not contradict.
        split: Rows that the metric is computed on.
        custom: Metrics of one's own by name.
    """

    metric: str | list[str]
    direction: Goal | None = None
    split: Split = "test"
    custom: dict[str, CustomMetric] = Field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """Full name of the metric, like `test/r2`."""
        return f"{self.split}/{self.metric}"

    @property
    def goal(self) -> Goal:
        """Direction in which the metric improves."""
        from mlrunner.evaluation.metrics import direction  # imports pandas, which a gate alone does not need

        return direction(str(self.metric), "gate.metric", self.custom)

    @property
    def metrics(self) -> dict[str, str]:
        """See `Gate.metrics`; empty when several metrics are named."""
        return {"gate.metric": self.full_name} if isinstance(self.metric, str) else {}

    def problems(self, task: str | None = None, key: str = "gate") -> list[str]:
        """See `Gate.problems`."""
        known = self._metric_names(task)
        if not isinstance(self.metric, str):
            first = next((name for name in self.metric if name in known), known[0])
            names = ", ".join(self.metric)
            return [f"{key}.metric is [{names}], but a gate uses one metric; name one, like {key}.metric={first}."]
        if self.metric not in known:
            hint = nearest(self.metric.rpartition("/")[2], known)
            subject = f"{key}.metric={self.metric} is not a metric of {task or 'any task'}"
            return [f"{subject}; choose {', '.join(known)}.{hint}"]
        if self.direction not in (None, self.goal):
            subject = f"{key}.direction={self.direction} contradicts {key}.metric={self.metric}"
            better = "greater" if self.goal == "maximize" else "smaller"
            return [f"{subject}, for which {better} is better; leave {key}.direction null."]
        return []

    def _metric_names(self, task: str | None) -> list[str]:
        from mlrunner.evaluation.metrics import metric_names

        names = list(GREATER_IS_BETTER) if task is None else metric_names(cast("Task", task))
        return [*names, *(name for name, metric in self.custom.items() if task in (None, metric.task))]

    def threshold_problems(self, threshold: float | None, key: str) -> list[str]:
        """Return a sentence for a threshold that no model can reach.

        Each metric that is always computed is at most 1, or at least 0 where less is better.

        Args:
            threshold: Threshold; None: none is set.
            key: Configuration key of the gate.
        """
        if threshold is None or not isinstance(self.metric, str) or self.metric not in GREATER_IS_BETTER:
            return []
        subject = f"{key}.threshold={format_setting(threshold)} is out of reach"
        if self.goal == "maximize":
            return [f"{subject}: no {self.metric} is above 1; choose a smaller number."] if threshold > 1 else []
        return [f"{subject}: no {self.metric} is below 0; choose a greater number."] if threshold < 0 else []


@dataclass
class Threshold(MetricGate):
    """Gate that opens for a metric that reaches a threshold; equal passes.

    Args:
        threshold: Lower bound in the metric's unit; an upper bound where less is better.
    """

    required: ClassVar[str | None] = "threshold"
    threshold: Number | None = None

    def problems(self, task: str | None = None, key: str = "gate") -> list[str]:
        """See `Gate.problems`."""
        problems = [*super().problems(task, key), *self.threshold_problems(self.threshold, key)]
        if self.missing_setting:
            metric = self.metric if isinstance(self.metric, str) else "value"
            problems.append(f"{key}.threshold is not set; give the {metric} that is good enough.")
        return problems

    def decide(self, candidate: GateInputs, champion: GateInputs | None) -> Decision:
        """See `Gate.decide`."""
        del champion
        problems = self.problems()
        if problems or self.threshold is None:
            return refuse(problems)
        return compare_to_threshold(candidate, self.full_name, self.threshold, self.goal)


@dataclass
class MinAccuracy(Gate):
    """Gate that opens for a minimum accuracy; equal passes.

    Args:
        min_accuracy: Lower bound, from 0 to 1.
        split: Rows that the accuracy is computed on.
    """

    min_accuracy: Share
    split: Split = "test"

    @property
    def metrics(self) -> dict[str, str]:
        """See `Gate.metrics`."""
        return {"gate.min_accuracy": f"{self.split}/accuracy"}

    def problems(self, task: str | None = None, key: str = "gate") -> list[str]:
        """See `Gate.problems`; a regression has no accuracy."""
        hint = "choose gate=threshold gate.metric=r2 gate.threshold=NUMBER"
        problem = f"{key}.min_accuracy: accuracy is not a metric of a regression; {hint}."
        return [problem] if task == "regression" else []

    def decide(self, candidate: GateInputs, champion: GateInputs | None) -> Decision:
        """See `Gate.decide`."""
        del champion
        return compare_to_threshold(candidate, f"{self.split}/accuracy", self.min_accuracy, "maximize")

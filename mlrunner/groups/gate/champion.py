"""Gate that compares a model with the deployed one: `gate=champion`."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from mlrunner.core.build import dataclass
from mlrunner.groups.gate import Decision, GateInputs
from mlrunner.groups.gate.comparison import (
    combine,
    compare_to_threshold,
    explain_unusable,
    format_pair,
    format_setting,
    format_value,
    refuse,
)
from mlrunner.groups.gate.thresholds import MetricGate, Number

Improvement = Annotated[float, Field(ge=0, allow_inf_nan=False)]
RELATIVE_TOLERANCE = 1e-12  # of the greater score: in floats, 0.8 - 0.7 is 0.10000000000000009
OTHER_GATE_HINT = "deploy with another gate, such as gate=threshold"
DIGEST_CHARACTERS = 12  # enough to distinguish digests of rows


@dataclass
class Champion(MetricGate):
    """Gate that opens for a model that is better than the deployed one on the same rows.

    The first model needs only a score, and to pass the threshold if one is set.

    Args:
        min_improvement: Smallest improvement, in the metric's unit; 0 accepts an equal model.
        threshold: Bound that the model must pass as well; None: no bound.
    """

    required: ClassVar[str | None] = "min_improvement"
    min_improvement: Improvement | None = 0.0
    threshold: Number | None = None

    @property
    def needs_champion(self) -> bool:
        """See `Gate.needs_champion`."""
        return True

    def problems(self, task: str | None = None, key: str = "gate") -> list[str]:
        """See `Gate.problems`."""
        problems = [*super().problems(task, key), *self.threshold_problems(self.threshold, key)]
        if self.missing_setting:
            problems.append(f"{key}.min_improvement is not set; 0 accepts a model that is as good.")
        return problems

    def decide(self, candidate: GateInputs, champion: GateInputs | None) -> Decision:
        """See `Gate.decide`."""
        problems = self.problems()
        fault = explain_unusable(candidate, self.full_name)
        if problems or fault is not None:
            return refuse(problems or [str(fault)])
        if champion is None or champion.invalid is not None:
            comparison = self._accept_first(candidate, champion)
        else:
            comparison = self._compare(candidate, champion)
        if self.threshold is None:
            return comparison
        return combine([compare_to_threshold(candidate, self.full_name, self.threshold, self.goal), comparison])

    def _accept_first(self, candidate: GateInputs, champion: GateInputs | None) -> Decision:
        score = f"{self.full_name} {format_value(candidate.metrics[self.full_name])}"
        reason = "nothing is deployed yet" if champion is None else f"{champion.name} is invalid ({champion.invalid})"
        return Decision(True, f"{score} has no champion to beat: {reason}")

    def _compare(self, candidate: GateInputs, champion: GateInputs) -> Decision:
        name = f"the champion {champion.name}".rstrip()
        if champion.difference is not None:
            return Decision(False, f"{name} {champion.difference}: {OTHER_GATE_HINT}")
        fault = explain_unusable(champion, self.full_name)
        if fault is not None:
            return Decision(False, f"{name} cannot be scored ({fault}): {OTHER_GATE_HINT}")
        if champion.rows != candidate.rows:
            theirs, ours = (inputs.rows[:DIGEST_CHARACTERS] or "unknown" for inputs in (champion, candidate))
            return Decision(False, f"{name} was scored on other rows ({theirs}, not {ours}): {OTHER_GATE_HINT}")
        scores = candidate.metrics[self.full_name], champion.metrics[self.full_name]
        return self._improvement(*scores, champion.name or "the champion")

    def _improvement(self, ours: float, theirs: float, name: str) -> Decision:
        """Decide by the difference, with a tolerance for the rounding of the scores."""
        minimum, tolerance = self.min_improvement or 0.0, RELATIVE_TOLERANCE * max(abs(ours), abs(theirs))
        gain = ours - theirs if self.goal == "maximize" else theirs - ours
        opens = gain >= minimum - tolerance
        mine, other = format_pair(ours, theirs)
        if abs(gain) <= tolerance:
            comparison = f"{format_value(ours)} equals {name}'s {format_value(theirs)}"
        elif gain > 0:
            is_minimum = abs(gain - minimum) <= tolerance
            difference = format_setting(minimum) if is_minimum else format_value(gain, minimum)
            comparison = f"{mine} beats {name}'s {other} by {difference}"
        else:
            comparison = f"{mine} is {format_value(-gain)} worse than {name}'s {other}"
        return Decision(opens, f"{self.full_name} {comparison}{_condition(minimum, opens)}")


def _condition(minimum: float, opens: bool) -> str:
    if opens:
        return f" ({f'at least {format_setting(minimum)}' if minimum else 'at least as good'} required)"
    if minimum:
        return f", but must improve by at least {format_setting(minimum)}"
    return ", but must be at least as good"

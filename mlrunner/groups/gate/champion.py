"""The gate that compares with what is deployed: `gate=champion`."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from mlrunner.core.build import dataclass
from mlrunner.groups.gate import Decision, Evidence
from mlrunner.groups.gate.comparing import against_bar, every, exact, fault, refusal, shown, shown_apart
from mlrunner.groups.gate.thresholds import MetricGate, Number

Improvement = Annotated[float, Field(ge=0, allow_inf_nan=False)]
ROUNDING = 1e-12  # of the greater score: 0.8 - 0.7 is 0.1 to people, and 0.10000000000000009 or less to a float
ANOTHER = "deploy with another gate, such as gate=threshold"
DIGEST = 12  # characters, enough to tell rows apart


@dataclass
class Champion(MetricGate):
    """Opens for a model that is better than the deployed one by at least `min_improvement`, on the same rows.

    Equal passes, here as in every gate: with `min_improvement` 0 a model that is as good replaces the champion.
    The first model only needs a score, and the threshold where there is one.
    """

    switch: ClassVar[str | None] = "min_improvement"
    min_improvement: Improvement | None = 0.0
    threshold: Number | None = None

    @property
    def needs_champion(self) -> bool:
        """See `Gate.needs_champion`."""
        return True

    def problems(self, task: str | None = None, key: str = "gate") -> list[str]:
        """Refuse what `MetricGate` refuses, an improvement that is not set, and a threshold out of reach."""
        told = [*super().problems(task, key), *self.bar_problems(self.threshold, key)]
        return [*told, f"{key}.min_improvement is not set; 0 asks for at least as good."] if self.unset else told

    def decide(self, candidate: Evidence, champion: Evidence | None) -> Decision:
        """Compare the metric with the champion's, and with the threshold where there is one."""
        wrong = self.problems()
        found = fault(candidate, self.full_name)
        if wrong or found is not None:
            return refusal(wrong or [str(found)])
        comparison = self._first(candidate) if champion is None else self._compare(candidate, champion)
        if self.threshold is None:
            return comparison
        return every([against_bar(candidate, self.full_name, self.threshold, self.goal), comparison])

    def _first(self, candidate: Evidence) -> Decision:
        told = f"{self.full_name} {shown(candidate.metrics[self.full_name])}"
        return Decision(True, f"{told} has no champion to beat: nothing is deployed yet")

    def _compare(self, candidate: Evidence, champion: Evidence) -> Decision:
        name = f"the champion {champion.name}".rstrip()
        found = fault(champion, self.full_name)
        if found is not None:
            return Decision(False, f"{name} cannot be scored ({found}): {ANOTHER}")
        if champion.rows != candidate.rows:
            theirs, ours = (one.rows[:DIGEST] or "unknown" for one in (champion, candidate))
            return Decision(False, f"{name} was scored on other rows ({theirs}, not {ours}): {ANOTHER}")
        scores = candidate.metrics[self.full_name], champion.metrics[self.full_name]
        return self._improvement(*scores, champion.name or "the champion")

    def _improvement(self, ours: float, theirs: float, name: str) -> Decision:
        """Judge by the difference, which may be off by a rounding of the scores that it comes from."""
        asked, slack = self.min_improvement or 0.0, ROUNDING * max(abs(ours), abs(theirs))
        better = ours - theirs if self.goal == "maximize" else theirs - ours
        opens = better >= asked - slack
        mine, other = shown_apart(ours, theirs)
        if abs(better) <= slack:
            told = f"{shown(ours)} equals {name}'s {shown(theirs)}"
        elif better > 0:
            by = exact(asked) if abs(better - asked) <= slack else shown(better, asked)
            told = f"{mine} beats {name}'s {other} by {by}"
        else:
            told = f"{mine} is {shown(-better)} worse than {name}'s {other}"
        wanted = f"at least {exact(asked)}" if asked else "at least as good"
        ending = f" ({wanted} asked)" if opens else f", but {'an improvement of ' if asked else ''}{wanted} is asked"
        return Decision(opens, f"{self.full_name} {told}{ending}")

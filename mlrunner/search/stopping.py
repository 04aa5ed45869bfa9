"""When a search ends before its last trial, and whether it has failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optuna.trial import TrialState

from mlrunner.search.trial_queue import VOID

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from mlrunner.search.objective import Goal
    from mlrunner.search.settings import SweepSettings
    from mlrunner.search.trial import Found


@dataclass(frozen=True)
class Policy:
    """What failures, the target and the patience of a search say.

    Args:
        settings: Of the sweeper.
        goal: What is searched for.
        limit: How many trials there shall be in all.
    """

    settings: SweepSettings
    goal: Goal
    limit: int

    def after(self, found: Found, trials: list[FrozenTrial]) -> str | None:
        """Say why no more trials are begun after one that has ended; None when they go on.

        Args:
            found: What the trial found.
            trials: All of the study.
        """
        valid = _valid(trials)
        failures = _failures(valid)
        if found.state == "FAIL" and self.settings.fail_fast:
            return "a trial failed, and fail_fast is set"
        if failures > self.settings.max_failure_rate * self.limit:
            return f"{failures} trials failed, more than max_failure_rate={self.settings.max_failure_rate:g} allows"
        return self._enough(valid) if len(self.goal.metrics) == 1 else None

    def _enough(self, trials: list[FrozenTrial]) -> str | None:
        done = [one for one in trials if one.state == TrialState.COMPLETE and one.value is not None]
        if not done:
            return None
        best, value = done[0].number, float(done[0].values[0])
        for one in done:
            if self.goal.better(float(one.values[0]), value):
                best, value = one.number, float(one.values[0])
        target, patience = self.settings.target, self.settings.patience
        if target is not None and not self.goal.better(target, value):
            return f"target {target:g} reached"
        since = sum(one.state.is_finished() and one.number > best for one in trials)
        if patience is not None and since >= patience:
            return f"no better trial in the last {since} (patience={patience})"
        return None

    def has_failed(self, trials: list[FrozenTrial]) -> bool:
        """Tell whether more trials failed than may, of those that there were."""
        valid = _valid(trials)
        failures = _failures(valid)
        too_many = failures > self.settings.max_failure_rate * len(valid)
        return too_many or (self.settings.fail_fast and failures > 0)


def _valid(trials: list[FrozenTrial]) -> list[FrozenTrial]:
    return [one for one in trials if VOID not in one.user_attrs]


def _failures(trials: list[FrozenTrial]) -> int:
    return sum(one.state == TrialState.FAIL for one in trials)

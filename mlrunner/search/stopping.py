"""When a search stops before its last trial, and when it has failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optuna.trial import TrialState

from mlrunner.search.trial_attributes import list_valid

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from mlrunner.search.objective import Objectives
    from mlrunner.search.settings import SweepSettings
    from mlrunner.search.trial import TrialResult


@dataclass(frozen=True)
class StoppingRule:
    """When to stop a search: by its failures, its target or its patience.

    Args:
        settings: Settings of the sweep.
        objectives: Objectives of the search.
        limit: Number of trials of the whole search.
    """

    settings: SweepSettings
    objectives: Objectives
    limit: int

    def find_stop_reason(self, result: TrialResult, trials: list[FrozenTrial]) -> str | None:
        """Decide after a trial whether the search stops.

        Returns:
            The reason to start no more trials; None when the search continues.
        """
        valid = list_valid(trials)
        failures = _count_failures(valid)
        if result.state == "FAIL" and self.settings.fail_fast:
            return "a trial failed, and fail_fast is set"
        if failures > self.settings.max_failure_rate * self.limit:
            return f"{failures} trials failed, more than max_failure_rate={self.settings.max_failure_rate:g} allows"
        has_rule = self.settings.target is not None or self.settings.patience is not None
        return self._check_progress(valid) if has_rule and len(self.objectives.metrics) == 1 else None

    def _check_progress(self, trials: list[FrozenTrial]) -> str | None:
        complete = [trial for trial in trials if trial.state == TrialState.COMPLETE and trial.value is not None]
        if not complete:
            return None
        best, value = complete[0].number, float(complete[0].values[0])
        for trial in complete:
            if self.objectives.is_better(float(trial.values[0]), value):
                best, value = trial.number, float(trial.values[0])
        target, patience = self.settings.target, self.settings.patience
        if target is not None and not self.objectives.is_better(target, value):
            return f"target {target:g} reached"
        since = sum(trial.state.is_finished() and trial.number > best for trial in trials)
        if patience is not None and since >= patience:
            return f"no better trial in the last {since} (patience={patience})"
        return None

    def has_failed(self, trials: list[FrozenTrial]) -> bool:
        """Check whether more of the trials failed than `max_failure_rate` allows, or one with `fail_fast`."""
        valid = list_valid(trials)
        failures = _count_failures(valid)
        too_many = failures > self.settings.max_failure_rate * len(valid)
        return too_many or (self.settings.fail_fast and failures > 0)


def _count_failures(trials: list[FrozenTrial]) -> int:
    return sum(trial.state == TrialState.FAIL for trial in trials)

"""The interface between the loop of a search and what runs its trials: worker processes, or a launcher of Hydra."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mlrunner.search.trial import TrialResult, TrialTask


@dataclass(frozen=True)
class Step:
    """Intermediate value of a running trial, which waits for the answer.

    Args:
        number: Number of the trial.
        step: Number of rounds, folds or repeats so far.
        value: Objective.
    """

    number: int
    step: int
    value: float


Event = Step | TrialResult


class Executor(Protocol):
    """Runs trials."""

    @property
    def room(self) -> int:
        """Number of trials that can be submitted now."""

    def submit(self, task: TrialTask) -> None:
        """Start a trial."""

    def wait(self, seconds: float) -> list[Event]:
        """Wait at most `seconds` for events, and return them."""

    def answer(self, number: int, prune: bool) -> None:
        """Answer the step of a trial: continue, or prune."""

    def kill(self) -> None:
        """Stop all trials at once."""

    def release(self) -> None:
        """Leave the cluster, since no more trials come."""

    def close(self) -> None:
        """Release all resources."""

"""A line of the table of sweeps."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mlrunner.history.listing.entries import JOINT, OVERRIDES, Entry
from mlrunner.tracking.records import BEST, FOLDER, STUDY, SWEEP, WINNER

CUT = 120  # characters of a sweep's name; what is there may be cut within a word
UNTOLD = ("sweep=", "tracking.", "output=")
WORDS = {"FINISHED": "done", "KILLED": "interrupted"}
ENDS = ("FINISHED", "KILLED", "FAILED", "RUNNING", "SCHEDULED")


@dataclass(frozen=True)
class Sweep(Entry):
    """A sweep, by its parent.

    Args:
        counts: How many trials it has, by status.
    """

    counts: dict[str, int] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The day and time that it began, which is its folder and what people type."""
        return self.record.tags[SWEEP]

    @property
    def is_search(self) -> bool:
        """Whether Optuna chose its compositions."""
        return STUDY in self.record.tags

    @property
    def kind(self) -> str:
        """`grid`, or the sampler of a search."""
        told = self.record.params.get("sampler._target_", "").rpartition(".")[2].removesuffix("Sampler").lower()
        return (told or "search") if self.is_search else "grid"

    @cached_property
    def differs(self) -> list[str]:
        """What it varies, then what all its runs have."""
        space = {key.rpartition("/")[2]: told for key, told in self.record.params.items() if key.startswith("space/")}
        parts = [part for part in self._overrides() if not part.startswith(UNTOLD)]
        fixed = [part for part in parts if part.partition("=")[0].lstrip("+") not in space]
        fixed.sort(key=lambda part: "," not in part)  # stable: what a grid varies comes first
        return [*self._shrunk(), *(f"{key}={told}" for key, told in space.items()), *fixed]

    def _overrides(self) -> list[str]:
        """All that was typed; of a sweep that did not record it what its name says."""
        if OVERRIDES in self.record.tags:
            return [str(text) for text in json.loads(self.record.tags[OVERRIDES])]
        name = self.record.name
        return JOINT.split(name if len(name) < CUT else name.rpartition(",")[0])

    @property
    def metric(self) -> str:
        """The first of its goals."""
        goals = [key.partition(".")[2] for key in self.record.params if key.startswith("goal.")]
        return next(iter([*goals, *self.record.metrics]), "" if self.lead is None else self.lead.metric)

    @property
    def spread(self) -> float | None:
        """Nothing is averaged over trials."""
        return None

    @property
    def winner(self) -> str | None:
        """The run that leads to the model: the refit of the best trial, or the best run of a grid."""
        return self.record.tags.get(WINNER) or self.record.tags.get(BEST)

    @property
    def trials(self) -> dict[str, int]:
        """How many trials ended how."""
        words = {**WORDS, "KILLED": "pruned"} if self.is_search else WORDS
        order = sorted(self.counts, key=ENDS.index)
        return {words.get(status, status.lower()): self.counts[status] for status in order}

    def document(self) -> dict[str, Any]:
        """All of it, for programs."""
        winner = None if self.lead is None else {"run_id": self.lead.run_id, "name": self.lead.name, "test": self.test}
        return {
            "sweep": self.id,
            "run_id": self.record.run_id,
            "name": self.record.name,
            "kind": self.kind,
            "differs": self.differs,
            **self._ended(),
            "trials": self.trials,
            "metric": self.metric,
            "objective": self.objective,
            "metrics": self.record.metrics,
            "winner": winner,
            "deployed": None if self.deployed is None else self.deployed.document(),
            "folder": self.record.tags.get(FOLDER),
        }

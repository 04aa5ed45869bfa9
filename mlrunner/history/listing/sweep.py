"""A sweep as a row of a table."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mlrunner.history.listing.entries import OVERRIDE_SEPARATOR, Entry
from mlrunner.tracking.records import BEST_TAG, STUDY_TAG, SWEEP_TAG, WINNER_TAG
from mlrunner.tracking.records.record import INTERRUPTED, OVERRIDES_TAG

CUT = 120  # characters of a sweep's name, which may end within a word
HIDDEN_PREFIXES = ("sweep=", "tracking.", "output=")
WORDS = {"FINISHED": "done", "KILLED": "interrupted"}
ENDS = ("FINISHED", "KILLED", "FAILED", INTERRUPTED, "RUNNING", "SCHEDULED")


@dataclass(frozen=True)
class SweepEntry(Entry):
    """A sweep as a row of a table; its record is the parent run.

    Args:
        counts: Number of trials by status.
    """

    counts: dict[str, int] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Day and time of the start, which are the folder of the sweep and its name in commands."""
        return self.record.tags[SWEEP_TAG]

    @property
    def is_search(self) -> bool:
        """Whether it is a search by Optuna."""
        return STUDY_TAG in self.record.tags

    @property
    def kind(self) -> str:
        """`grid`, or the sampler of a search."""
        sampler = self.record.params.get("sampler._target_", "").rpartition(".")[2].removesuffix("Sampler").lower()
        return (sampler or "search") if self.is_search else "grid"

    @cached_property
    def differs(self) -> list[str]:
        """The overrides that vary, then those that all runs share."""
        space = {
            key.rpartition("/")[2]: values for key, values in self.record.params.items() if key.startswith("space/")
        }
        parts = [part for part in self._overrides() if not part.startswith(HIDDEN_PREFIXES)]
        fixed = [part for part in parts if part.partition("=")[0].lstrip("+") not in space]
        fixed.sort(key=lambda part: "," not in part)  # stable; puts the values that a grid varies first
        return [*self._blueprint(), *(f"{key}={values}" for key, values in space.items()), *fixed]

    def _overrides(self) -> list[str]:
        """Return the overrides of the command line; for a sweep without a record of them, those in its name."""
        if OVERRIDES_TAG in self.record.tags:
            return [str(text) for text in json.loads(self.record.tags[OVERRIDES_TAG])]
        name = self.record.name
        return OVERRIDE_SEPARATOR.split(name if len(name) < CUT else name.rpartition(",")[0])

    @property
    def metric(self) -> str:
        """The first metric of the objective."""
        goals = [key.partition(".")[2] for key in self.record.params if key.startswith("goal.")]
        return next(iter([*goals, *self.record.metrics]), "" if self.lead is None else self.lead.metric)

    @property
    def spread(self) -> float | None:
        """None: scores are not averaged over trials."""
        return None

    @property
    def winner(self) -> str | None:
        """Id of the run with the final model: the refit of the best trial, or the best run of a grid."""
        return self.record.tags.get(WINNER_TAG) or self.record.tags.get(BEST_TAG)

    @property
    def trials(self) -> dict[str, int]:
        """Number of trials by their end."""
        words = {**WORDS, "KILLED": "pruned"} if self.is_search else WORDS
        if self.record.status == "KILLED":  # no process works on what is still open
            words = {**words, "RUNNING": "interrupted"}
        trials: Counter[str] = Counter()
        for status in sorted(self.counts, key=ENDS.index):
            trials[words.get(status, status.lower())] += self.counts[status]
        return dict(trials)

    def document(self) -> dict[str, Any]:
        """Build the JSON document."""
        winner = None if self.lead is None else {"run_id": self.lead.run_id, "name": self.lead.name, "test": self.test}
        return {**super().document(), "kind": self.kind, "trials": self.trials, "winner": winner}

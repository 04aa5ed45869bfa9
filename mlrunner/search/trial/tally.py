"""The scores of the fits of a trial, what the fits have found on held-out rows, and their means."""

from __future__ import annotations

import math
from collections.abc import Sized
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mlrunner.core.metric_names import ROUNDS, THRESHOLD
from mlrunner.evaluation import metrics, thresholds

if TYPE_CHECKING:
    from mlrunner.evaluation.predictions import Predictions
    from mlrunner.groups.model import Model
    from mlrunner.search.trial import TrialTask


@dataclass
class Tally:
    """Scores, durations and sizes of the fits of a trial so far, and the replicates of a single score."""

    scores: list[dict[str, float]] = field(default_factory=list)
    replicates: dict[str, Any] | None = None
    rounds: list[int] = field(default_factory=list)  # by early stopping, one a fit
    thresholds: list[float] = field(default_factory=list)  # tuned, one a repeat
    held_out: list[Predictions] = field(default_factory=list)  # of the fits whose threshold is not tuned yet
    fit_seconds: float = 0.0
    score_seconds: float = 0.0
    fit_rows: int = 0
    scored_rows: int = 0

    def count(self, fitted: Sized, scored: Sized) -> None:
        """Count the rows of a fit."""
        self.fit_rows, self.scored_rows = self.fit_rows + len(fitted), self.scored_rows + len(scored)

    @property
    def held_out_ratio(self) -> float:
        """Ratio of held-out to training rows of the fits; 0 without any."""
        return self.scored_rows / self.fit_rows if self.fit_rows else 0.0

    def tune(self, model: Model, predictions: Predictions, task: TrialTask, ends: bool) -> float | None:
        """Tune the threshold of a repeat, and score all of its held-out rows by it.

        Args:
            model: Model of the fit.
            predictions: Predictions of the fit.
            task: Task of the trial.
            ends: Whether this is the last fit of the repeat; the threshold of the others is for reports only.

        Returns:
            None without `model.threshold=tuned`, or while there is no threshold.
        """
        if not thresholds.is_tuned(model):
            return None
        self.held_out.append(predictions)
        if not ends and not (task.prunes and thresholds.have_both_classes(self.held_out)):
            return None
        threshold = thresholds.tune(model, self.held_out, task.metric)
        scores = [metrics.measure(fit.classify(threshold), task.task) for fit in self.held_out]
        self.scores[-len(scores) :] = scores
        if ends:
            self.thresholds, self.held_out = [*self.thresholds, threshold], []
        return threshold

    @property
    def fit_values(self) -> dict[str, float]:
        """Means of the boosting rounds and thresholds that the fits chose on held-out rows, by name."""
        rounds = {ROUNDS: float(np.mean(self.rounds))} if self.rounds else {}
        return rounds | ({THRESHOLD: float(np.mean(self.thresholds))} if self.thresholds else {})


def average(task: TrialTask, scores: list[dict[str, float]]) -> dict[str, float]:
    """Average the scores of the fits; with several fits, add their standard deviation.

    Returns:
        Each metric by its name and as `validation/<name>` (`cv/<name>` with folds); empty without scores.
    """
    if not scores:
        return {}
    part = "cv" if task.repeats[0].folds else "validation"
    averages: dict[str, float] = {}
    for name in scores[0]:
        values = [fit.get(name, math.nan) for fit in scores]
        mean = float(np.mean(values))
        averages |= {name: mean, f"{part}/{name}": mean}
        if len(values) > 1:
            with np.errstate(all="ignore"):
                averages[f"{part}/{name}_std"] = float(np.std(values))
    return averages

"""The lead of the best trial of a search over the second and over the default composition, beside its noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrunner.core.formatting import format_number, nan_to_none
from mlrunner.evaluation import uncertainty
from mlrunner.search.results import rank
from mlrunner.search.trial import TRIAL_RESULT_FILE, TrialResult
from mlrunner.search.trial_attributes import DEFAULT_OF, FOLDER, is_default

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

    from mlrunner.search.objective import Objectives

LEAST_LEAD = 1e-12  # smaller differences are rounding


@dataclass(frozen=True)
class Lead:
    """The lead of the best trial over the second.

    Args:
        lead: Absolute difference of the first metric; NaN without a second trial or without their scores.
        uncertainty: Difference that chance exceeds one time in twenty; NaN when there is one score a trial.
    """

    lead: float
    uncertainty: float

    @property
    def sentence(self) -> str:
        """A sentence on whether the lead exceeds its uncertainty."""
        if math.isnan(self.lead):
            return "there is no second trial"
        if self.lead < LEAST_LEAD:
            return "has the same score as the second"
        if math.isnan(self.uncertainty):
            return f"leads by {self.lead:.3g}; too few rows show the noise, set split=kfold or hydra.sweeper.repeats=5"
        word = "more" if self.lead > self.uncertainty else "not more"
        return f"leads by {self.lead:.3g}, which is {word} than the noise of ± {self.uncertainty:.2g}"


def compute_lead(first: list[float], second: list[float], held_out_ratio: float) -> Lead:
    """Compute the lead of a trial from paired scores: both trials were scored on the same rows.

    Args:
        first: Scores of the best trial, one a fold and repeat.
        second: Scores of the second trial, in the same order.
        held_out_ratio: Ratio of held-out to training rows of the fits.
    """
    if not first or len(first) != len(second):
        return Lead(math.nan, math.nan)
    differences = [score - other for score, other in zip(first, second, strict=True)]
    count = len(differences)
    mean = math.fsum(differences) / count
    if count == 1:
        return Lead(abs(mean), math.nan)
    variance = math.fsum((difference - mean) ** 2 for difference in differences) / (count - 1)
    error = uncertainty.standard_error_of_folds(variance, count, held_out_ratio)
    return Lead(abs(mean), uncertainty.critical_value(count) * error)


def read_result(trial: FrozenTrial) -> TrialResult | None:
    """Read the result of a trial; None when its file is gone."""
    folder = Path(str(trial.user_attrs.get(FOLDER)))
    return TrialResult.read(folder) if (folder / TRIAL_RESULT_FILE).exists() else None


def compute_study_lead(study: Study, objectives: Objectives) -> Lead:
    """Compute the lead of the best trial of a study over the second."""
    leaders = rank(study, objectives)[:2]
    return Lead(math.nan, math.nan) if len(leaders) < 2 else _compare(*leaders)


def _compare(best: FrozenTrial, other: FrozenTrial) -> Lead:
    first, second = read_result(best), read_result(other)
    if first is None or second is None:
        return Lead(math.nan, math.nan)
    lead = compute_lead(first.scores, second.scores, first.held_out_ratio)
    if first.replicates is None or second.replicates is None or first.replicates["rows"] != second.replicates["rows"]:
        return lead
    left, right = (uncertainty.parse_replicates(document) for document in (first.replicates, second.replicates))
    return Lead(lead.lead, uncertainty.margin(left, right, next(iter(left.metrics))))


@dataclass(frozen=True)
class DefaultComparison:
    """The best default composition beside the best trial.

    Args:
        number: Number of the trial of the default composition.
        model: Its model option.
        metric: First metric of the search.
        value: Value of this metric.
        lead: Lead of the best trial over the default; None when the default is the best trial.
    """

    number: int
    model: str
    metric: str
    value: float
    lead: Lead | None

    @property
    def is_beaten(self) -> bool | None:
        """Whether the best trial is better by more than noise; None when the noise is unknown."""
        if self.lead is None:
            return False
        return None if math.isnan(self.lead.uncertainty) else self.lead.lead > self.lead.uncertainty

    @property
    def sentence(self) -> str:
        """A sentence on whether the search has found more than the default."""
        default = f"{self.model} has {self.metric} {format_number(self.value)} (trial {self.number})"
        if self.lead is None or self.lead.lead < LEAST_LEAD:
            return f"{default}; no other trial is better"
        return f"{default}; the best {self.lead.sentence}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for `optimization_results.yaml`; an unknown uncertainty is null."""
        lead = self.lead or Lead(0.0, math.nan)
        values = {"trial_number": self.number, "model": self.model, "value": self.value}
        compared: dict[str, Any] = nan_to_none({"lead": lead.lead, "uncertainty": lead.uncertainty})
        return {**values, **compared, "is_beaten": self.is_beaten}


def compare_default(study: Study, objectives: Objectives) -> DefaultComparison | None:
    """Compare the best trial of a study with the best of the default compositions.

    Returns:
        None when no default composition is complete.
    """
    ranked = rank(study, objectives)
    default = next((trial for trial in ranked if is_default(trial)), None)
    if default is None:
        return None
    lead = None if default is ranked[0] else _compare(ranked[0], default)
    model = str(default.user_attrs[DEFAULT_OF]["model"])
    return DefaultComparison(default.number, model, objectives.metrics[0], default.values[0], lead)


def describe_lead(study: Study, objectives: Objectives) -> str:
    """Describe how far the best trial leads, also over the default; empty without one or with several objectives."""
    if len(objectives.metrics) > 1 or not rank(study, objectives):
        return ""
    default = compare_default(study, objectives)
    sentences = [compute_study_lead(study, objectives).sentence, *([] if default is None else [default.sentence])]
    return "; the default of ".join(sentences)

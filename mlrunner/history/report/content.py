"""What a report is made of: the run or sweep, the run that leads it, its trials and its pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrunner.core.metric_names import greater_is_better
from mlrunner.core.outcome import OUTCOME_FILE
from mlrunner.history.report import grids, trials
from mlrunner.history.report.trials import Trial
from mlrunner.tracking.records import BEST_TAG, FOLDER_TAG, STUDY_TAG, WINNER_TAG, Record, Store, lookup, read_yaml

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlrunner.core.outcome import Outcome

SUMMARY = "optimization_results.yaml"


@dataclass(frozen=True)
class Content:
    """What a report tells of.

    Args:
        subject: The run, or the parent of the sweep.
        lead: The run that stands for it: the winner, the best run, or itself; None where all failed.
        store: Where they are recorded.
        trials: Of a sweep, best first.
        goal: The objectives, each with its direction.
        summary: Of a search: what came of it.
        figures: Of a sweep: its pictures, drawn.
        verdict: Says how sure the best one's lead is; empty for nothing.
    """

    subject: Record
    lead: Record | None
    store: Store
    trials: list[Trial] = field(default_factory=list)
    goal: Mapping[str, str] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Figure] = field(default_factory=dict)
    verdict: str = ""

    @property
    def kind(self) -> str:
        """`search`, `grid` or `run`."""
        return "run" if not self.subject.is_sweep else "search" if STUDY_TAG in self.subject.tags else "grid"

    @property
    def metric(self) -> str:
        """The first objective."""
        return next(iter(self.goal), "r2")

    @property
    def best(self) -> Trial | None:
        """The trial that leads; None for a run, and where all failed."""
        return next((one for one in self.trials if one.leads), None)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many trials came to which end; those that there are none of are left out."""
        states = (trials.COMPLETE, trials.PRUNED, trials.FAILED)
        found = {state: sum(one.state == state for one in self.trials) for state in states}
        return {state: count for state, count in found.items() if count}

    @property
    def params(self) -> Mapping[str, str]:
        """The composition of the run that leads, flattened."""
        return {} if self.lead is None else self.lead.params


def gather_content(
    subject: Record,
    store: Store,
    outcomes: Sequence[Outcome] | None = None,
    figures: Mapping[str, Figure] | None = None,
    verdict: str = "",
) -> Content:
    """Read what a report is made of.

    Args:
        subject: A run, or the parent of a sweep.
        store: Where it is recorded.
        outcomes: Of the sweep's compositions; None reads them.
        figures: Of the search, where they are drawn.
        verdict: How sure the best one's lead is.
    """
    if not subject.is_sweep:
        return Content(subject, subject, store, goal=read_goal(subject, {}, []))
    summary = read_yaml(subject.read_text(SUMMARY) or "{}")
    goal = read_goal(subject, summary, [])
    found = list(outcomes) if outcomes is not None else _outcomes(subject, store, goal)
    goal = read_goal(subject, summary, found)
    front = [int(one["number"]) for one in summary.get("solutions", [])]
    arranged = trials.sort_trials(found, goal, subject.tags.get(BEST_TAG), front)
    leads = _leading(subject, store, arranged)
    if figures is None and STUDY_TAG not in subject.tags:
        figures = grids.draw_grid(subject.place, found, goal)
    return Content(subject, leads, store, arranged, goal, summary, figures or {}, verdict)


def _leading(subject: Record, store: Store, arranged: list[Trial]) -> Record | None:
    """Find the run that stands for a sweep; one that was killed has not said which, and its best one so far leads."""
    if subject.tags.keys() & {WINNER_TAG, BEST_TAG}:
        lead = lookup.resolve_sweep(store, subject)
        return None if lead is subject else lead
    first = next(iter(arranged), None)
    if first is None or first.state != trials.COMPLETE or first.outcome.run_id is None:
        return None
    arranged[0] = replace(first, leads=True)
    return lookup.find_by_id(store, first.outcome.run_id)


def read_goal(subject: Record, summary: Mapping[str, Any], outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Tell the objectives, each with its direction: as the search says, or as the compositions or the run do."""
    if "metrics" in summary:
        return dict(zip(summary["metrics"], summary["directions"], strict=True))
    told = {name.removeprefix("goal."): way for name, way in subject.params.items() if name.startswith("goal.")}
    ended = [one for one in outcomes if one.error is None]
    if ended:
        return {ended[0].metric: ended[0].direction, **told}
    if told:
        return told
    given = subject.params.get("objective.direction", "null")
    natural = "maximize" if greater_is_better(subject.metric) else "minimize"
    return {subject.metric: natural if given == "null" else given}


def _outcomes(subject: Record, store: Store, goal: Mapping[str, str]) -> list[Outcome]:
    """Read what became of the compositions: from the folder, else from the store."""
    files = sorted(Path(subject.tags.get(FOLDER_TAG, "/nonexistent")).glob(f"*/{OUTCOME_FILE}"))
    if files:
        return [trials.parse_outcome(json.loads(file.read_text())) for file in files]
    return trials.read_recorded(subject, store, goal)

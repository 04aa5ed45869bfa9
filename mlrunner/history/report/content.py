"""Gather the content of a report: the run or sweep, its best run, its trials and its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlrunner.core import environment
from mlrunner.core.outcome import rank, read_outcomes, separate
from mlrunner.core.safe_yaml import read_yaml
from mlrunner.history.report import grids, trials
from mlrunner.history.report.trials import Trial
from mlrunner.tracking.records import BEST_TAG, STUDY_TAG, WINNER_TAG, Record, Store, lookup

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlrunner.core.outcome import Outcome
    from mlrunner.history.explanation import Explanation

SUMMARY = "optimization_results.yaml"


@dataclass(frozen=True)
class Content:
    """The content of a report.

    Args:
        subject: Run, or parent of a sweep.
        lead: Winner or best run of a sweep, or the run itself; None if all runs failed.
        store: Store of the runs.
        trials: Trials of a sweep, best first; empty for a run.
        goal: Direction by objective.
        summary: Summary that a search logged; empty for others.
        figures: Figures of a sweep by name.
        verdict: Sentence about how certain the lead of the best trial is; empty if unknown.
        explanation: Contributions to the lead's predictions; None if they are not computed.
    """

    subject: Record
    lead: Record | None
    store: Store
    trials: list[Trial] = field(default_factory=list)
    goal: Mapping[str, str] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Figure] = field(default_factory=dict)
    verdict: str = ""
    explanation: Explanation | None = None

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
        """The best trial; None for a run, and if all trials failed."""
        return next((trial for trial in self.trials if trial.leads), None)

    @cached_property
    def counts(self) -> dict[str, int]:
        """Number of trials by state, without states that no trial has."""
        states = (trials.COMPLETE, trials.PRUNED, trials.FAILED)
        counts = {state: sum(trial.state == state for trial in self.trials) for state in states}
        return {state: count for state, count in counts.items() if count}

    @cached_property
    def questions(self) -> Mapping[str, Content]:
        """The content by question, as a grid ranks: jobs on other targets or metrics do not compare."""
        groups = separate(rank([trial.outcome for trial in self.trials]))
        if len(groups) < 2:
            return {"": self}
        goals = {name: {group[0].metric: group[0].direction} for name, group in groups.items()}
        ranked = {name: trials.sort_trials(group, goals[name], group[0].run_id) for name, group in groups.items()}
        return {name: replace(self, trials=ranked[name], goal=goals[name]) for name in groups}

    @property
    def params(self) -> Mapping[str, str]:
        """The flattened composition of the best run."""
        return {} if self.lead is None else self.lead.params


def gather_content(
    subject: Record,
    store: Store,
    outcomes: Sequence[Outcome] | None = None,
    figures: Mapping[str, Figure] | None = None,
    verdict: str = "",
) -> Content:
    """Gather the content of a report.

    Args:
        subject: Run, or parent of a sweep.
        store: Store of the runs.
        outcomes: Outcomes of a sweep; None reads them from its folder or the store.
        figures: Figures of a search by name; None if they are not drawn, a grid's are drawn here.
        verdict: Sentence about how certain the lead of the best trial is.
    """
    if not subject.is_sweep:
        return Content(subject, subject, store, goal=read_goal(subject, {}, []))
    summary = read_yaml(subject.read_text(SUMMARY) or "{}")
    goal = read_goal(subject, summary, [])
    all_outcomes = list(outcomes) if outcomes is not None else _outcomes(subject, store, goal)
    goal = read_goal(subject, summary, all_outcomes)
    front = [int(solution["number"]) for solution in summary.get("solutions", [])]
    ranked = trials.sort_trials(all_outcomes, goal, subject.tags.get(BEST_TAG), front)
    if len(separate(all_outcomes)) > 1:  # none is the best of all
        return Content(subject, None, store, ranked)
    lead = _find_lead(subject, store, ranked)
    if figures is None and STUDY_TAG not in subject.tags:
        figures = grids.draw_grid(subject.place, all_outcomes, goal)
    return Content(subject, lead, store, ranked, goal, summary, figures or {}, verdict)


def _find_lead(subject: Record, store: Store, ranked: list[Trial]) -> Record | None:
    """Find the best run of a sweep; a sweep that was killed has no record of it, so the best trial so far is taken."""
    if subject.tags.keys() & {WINNER_TAG, BEST_TAG}:
        lead = lookup.resolve_sweep(store, subject)
        return None if lead is subject else lead
    first = next(iter(ranked), None)
    if first is None or first.state != trials.COMPLETE or first.outcome.run_id is None:
        return None
    ranked[0] = replace(first, leads=True)
    return lookup.find_by_id(store, first.outcome.run_id)


def read_goal(subject: Record, summary: Mapping[str, Any], outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Read the direction of each objective from the summary of a search, its outcomes, or the parameters of a run."""
    if "metrics" in summary:
        return dict(zip(summary["metrics"], summary["directions"], strict=True))
    goal = {name.removeprefix("goal."): way for name, way in subject.params.items() if name.startswith("goal.")}
    completed = [outcome for outcome in outcomes if outcome.error is None]
    if completed:
        return {completed[0].metric: completed[0].direction, **goal}
    if goal:
        return goal
    return {subject.metric: "maximize" if subject.maximizes else "minimize"}


def _outcomes(subject: Record, store: Store, goal: Mapping[str, str]) -> list[Outcome]:
    """Read the outcomes of a sweep from its folder, or else from the store."""
    folder = subject.own_folder(environment.home())
    if folder is not None and (outcomes := read_outcomes(folder)):
        return outcomes
    return trials.read_recorded(subject, store, goal)

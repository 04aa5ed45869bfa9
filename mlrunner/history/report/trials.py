"""Read the trials of a sweep from its folder or from the store, and rank them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlrunner.core.metric_names import metric_spread
from mlrunner.core.outcome import Outcome, parse_outcome
from mlrunner.tracking.records import SWEEP_TAG, TRIAL_TAG, WINNER_OF_TAG, Record, Store, quote
from mlrunner.tracking.records.record import FOLDER_TAG

COMPLETE, PRUNED, FAILED = "complete", "pruned", "failed"
STATES = {"FINISHED": COMPLETE, "PRUNED": PRUNED, "KILLED": PRUNED, "FAILED": FAILED}
SECONDS = ("fit_seconds", "score_seconds")
MODEL = re.compile(r"(?:^|,)model=([^,]+)")


@dataclass(frozen=True)
class Trial:
    """A trial of a search or a job of a grid.

    Args:
        outcome: Outcome.
        state: `complete`, `pruned` or `failed`.
        values: Value of each objective; NaN if it is missing.
        leads: Whether it is the best trial.
        on_front: Whether it is on the Pareto front of several objectives.
    """

    outcome: Outcome
    state: str
    values: tuple[float, ...]
    leads: bool = False
    on_front: bool = False

    @property
    def model(self) -> str:
        """The model, if the sweep varies it; empty otherwise."""
        match = MODEL.search(self.outcome.name)
        return "" if match is None else match[1]

    @property
    def deviation(self) -> float | None:
        """Standard deviation of the first objective over folds or repeats."""
        return metric_spread(self.outcome.metrics, self.outcome.metric)


def sort_trials(
    outcomes: Sequence[Outcome], goal: Mapping[str, str], best: str | None, front: Sequence[int] = ()
) -> list[Trial]:
    """Sort trials: complete ones best first, then pruned, then failed ones.

    Args:
        outcomes: Outcomes in any order.
        goal: Direction by objective.
        best: Id of the best run; None if no run is the best.
        front: Numbers of the trials on the Pareto front.
    """
    sign = -1 if next(iter(goal.values()), "maximize") == "maximize" else 1
    ranked = [_trial(outcome, goal, best, front) for outcome in outcomes]
    rank = {COMPLETE: 0, PRUNED: 1, FAILED: 2}
    ranked.sort(key=lambda outcome: (rank[outcome.state], _loss(outcome, sign), outcome.outcome.job or 0))
    return ranked


def _loss(trial: Trial, sign: int) -> float:
    value = trial.values[0] if trial.values and trial.state == COMPLETE else math.nan
    return math.inf if math.isnan(value) else sign * value


def _trial(outcome: Outcome, goal: Mapping[str, str], best: str | None, front: Sequence[int]) -> Trial:
    metrics = {**outcome.metrics, "fit_seconds": outcome.fit_seconds, "score_seconds": outcome.score_seconds}
    metrics.setdefault(outcome.metric, outcome.objective)
    values = tuple(metrics.get(name, math.nan) for name in goal)
    state = FAILED if outcome.error is not None else STATES.get(outcome.status, FAILED)
    return Trial(outcome, state, values, outcome.run_id is not None and outcome.run_id == best, outcome.job in front)


def read_recorded(sweep: Record, store: Store, goal: Mapping[str, str]) -> list[Outcome]:
    """Read the outcomes of a sweep from its runs in MLflow.

    Args:
        sweep: Parent run.
        store: Store of the runs.
        goal: Direction by objective.
    """
    ranking = sweep.read_text("ranking.jsonl")  # of a grid, some of whose failures have no run
    if ranking is not None:
        return [parse_outcome(json.loads(line)) for line in ranking.splitlines() if line]
    runs = store.search(f"tags.`{SWEEP_TAG}` = {quote(sweep.tags[SWEEP_TAG])} and tags.`{TRIAL_TAG}` IS NOT NULL")
    trials = [run for run in runs if WINNER_OF_TAG not in run.tags and run.status != "RUNNING"]
    return [_outcome(run, goal) for run in trials]


def _outcome(run: Record, goal: Mapping[str, str]) -> Outcome:
    metric, direction = next(iter(goal.items()), (run.metric, "maximize"))
    error = (run.read_text("error.txt") or "it failed").splitlines()[0] if run.status == "FAILED" else None
    fit, score = (run.metrics.get(name, math.nan) for name in SECONDS)
    return Outcome(
        name=run.name,
        status=run.status,
        metric=metric,
        direction=direction,
        objective=run.metrics.get(metric, math.nan),
        seconds=run.seconds if run.seconds is not None else math.nan,
        fit_seconds=fit,
        score_seconds=score,
        metrics={name: value for name, value in run.metrics.items() if name not in SECONDS},
        run_id=run.run_id,
        folder=run.tags.get(FOLDER_TAG, ""),
        job=int(run.tags[TRIAL_TAG]),
        error=error,
    )

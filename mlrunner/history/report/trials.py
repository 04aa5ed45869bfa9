"""The trials of a sweep, best first: from its folder, or from the store where the folder is gone."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlrunner.core.metric_names import metric_spread
from mlrunner.core.outcome import Outcome
from mlrunner.tracking.records import SWEEP_TAG, TRIAL_TAG, WINNER_OF_TAG, quote
from mlrunner.tracking.records.record import FOLDER_TAG

if TYPE_CHECKING:
    from mlrunner.tracking.records import Record, Store

COMPLETE, PRUNED, FAILED = "complete", "pruned", "failed"
STATES = {"FINISHED": COMPLETE, "PRUNED": PRUNED, "KILLED": PRUNED, "FAILED": FAILED}
SECONDS = ("fit_seconds", "score_seconds")
MODEL = re.compile(r"(?:^|,)model=([^,]+)")
NUMBERS = ("objective", *SECONDS)  # null in JSON where there is none


@dataclass(frozen=True)
class Trial:
    """A composition of a sweep.

    Args:
        outcome: What became of it.
        state: complete, pruned or failed.
        values: Of each objective; NaN for none.
        leads: Whether it is the best one.
        on_front: Whether no other beats it in all of several objectives.
    """

    outcome: Outcome
    state: str
    values: tuple[float, ...]
    leads: bool = False
    on_front: bool = False

    @property
    def model(self) -> str:
        """The model, where the sweep varies it; empty otherwise."""
        found = MODEL.search(self.outcome.name)
        return "" if found is None else found[1]

    @property
    def deviation(self) -> float | None:
        """The first objective's, over folds or repeats."""
        return metric_spread(self.outcome.metrics, self.outcome.metric)


def sort_trials(
    outcomes: Sequence[Outcome], goal: Mapping[str, str], best: str | None, front: Sequence[int] = ()
) -> list[Trial]:
    """Sort the trials: the complete ones best first, then the pruned, then the failed.

    Args:
        outcomes: In any order.
        goal: The objectives, each with its direction.
        best: The run of the best one; None where none leads.
        front: The numbers of those on the front of several objectives.
    """
    sign = -1 if next(iter(goal.values()), "maximize") == "maximize" else 1
    made = [_trial(one, goal, best, front) for one in outcomes]
    rank = {COMPLETE: 0, PRUNED: 1, FAILED: 2}
    made.sort(key=lambda one: (rank[one.state], _loss(one, sign), one.outcome.job or 0))
    return made


def _loss(one: Trial, sign: int) -> float:
    value = one.values[0] if one.values and one.state == COMPLETE else math.nan
    return math.inf if math.isnan(value) else sign * value


def _trial(one: Outcome, goal: Mapping[str, str], best: str | None, front: Sequence[int]) -> Trial:
    known = {**one.metrics, "fit_seconds": one.fit_seconds, "score_seconds": one.score_seconds}
    known.setdefault(one.metric, one.objective)
    values = tuple(known.get(name, math.nan) for name in goal)
    state = FAILED if one.error is not None else STATES.get(one.status, FAILED)
    return Trial(one, state, values, one.run_id is not None and one.run_id == best, one.job in front)


def parse_outcome(told: Mapping[str, Any]) -> Outcome:
    """Read the outcome that a `result.json` holds."""
    return Outcome(**{**told, **{name: math.nan if told[name] is None else told[name] for name in NUMBERS}})


def read_recorded(sweep: Record, store: Store, goal: Mapping[str, str]) -> list[Outcome]:
    """Rebuild the outcomes from what MLflow has of a sweep.

    Args:
        sweep: Its parent.
        store: Where its runs are.
        goal: The objectives, each with its direction.
    """
    ranking = sweep.read_text("ranking.jsonl")  # of a grid: some of its failures have no run
    if ranking is not None:
        return [parse_outcome(json.loads(line)) for line in ranking.splitlines() if line]
    runs = store.search(f"tags.`{SWEEP_TAG}` = {quote(sweep.tags[SWEEP_TAG])} and tags.`{TRIAL_TAG}` IS NOT NULL")
    trials = [run for run in runs if WINNER_OF_TAG not in run.tags and run.status != "RUNNING"]
    return [_outcome(run, goal) for run in trials]


def _outcome(run: Record, goal: Mapping[str, str]) -> Outcome:
    metric, way = next(iter(goal.items()), (run.metric, "maximize"))
    told = (run.read_text("error.txt") or "it failed").splitlines()[0] if run.status == "FAILED" else None
    fit, score = (run.metrics.get(name, math.nan) for name in SECONDS)
    return Outcome(
        name=run.name,
        status=run.status,
        metric=metric,
        direction=way,
        objective=run.metrics.get(metric, math.nan),
        seconds=run.seconds if run.seconds is not None else math.nan,
        fit_seconds=fit,
        score_seconds=score,
        metrics={name: value for name, value in run.metrics.items() if name not in SECONDS},
        run_id=run.run_id,
        model_uri=None,
        folder=run.tags.get(FOLDER_TAG, ""),
        job=int(run.tags[TRIAL_TAG]),
        error=told,
    )

"""What came of a search: the best trial, how sure its lead is, and the files that say so."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from optuna.trial import TrialState

from mlrunner.core.outcome import RESULT, Outcome, read_outcome
from mlrunner.evaluation import uncertainty as noise
from mlrunner.search.loop import FOLDER, OVERRIDES
from mlrunner.search.study_setup import META
from mlrunner.search.trial import FOUND
from mlrunner.search.trial_queue import VOID

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

    from mlrunner.search.objective import Goal
    from mlrunner.search.space import Space

NAME = "optimization_results.yaml"
HELD_OUT = 0.25  # where there are no folds: validation rows for each training row, as most splits have about
STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "running", "WAITING": "waiting"}


def valid(study: Study) -> list[FrozenTrial]:
    """List the trials that count."""
    return [one for one in study.get_trials(deepcopy=False) if VOID not in one.user_attrs]


def complete(trials: list[FrozenTrial]) -> list[FrozenTrial]:
    """List the trials that came to their end."""
    return [one for one in trials if one.state == TrialState.COMPLETE]


def best_of(trials: list[FrozenTrial], goal: Goal) -> FrozenTrial | None:
    """Find the best trial by the first objective, the earliest of equals; None when none came to its end."""
    return next(iter(ranked(trials, goal)), None)


def ranked(trials: list[FrozenTrial], goal: Goal) -> list[FrozenTrial]:
    """Sort the complete trials, best first."""
    sign = -1 if goal.directions[0] == "maximize" else 1
    return sorted(complete(trials), key=lambda one: (sign * one.values[0], one.number))


@dataclass(frozen=True)
class Lead:
    """By how much the winner leads the next, and by how much it would by chance; NaN where nothing tells it."""

    lead: float
    noise: float

    @property
    def told(self) -> str:
        """Say whether the lead is more than noise."""
        if self.lead != self.lead:
            return "there is no second"
        if self.noise != self.noise:
            return f"leads by {self.lead:.3g}; one score a trial tells no noise, split=kfold or repeats=5 would"
        word = "more" if self.lead > self.noise else "not more"
        return f"leads by {self.lead:.3g}, which is {word} than the noise of ± {self.noise:.2g}"


def lead(first: list[float], second: list[float], repeats: int = 1) -> Lead:
    """Compare two trials fold by fold, for both were scored on the same rows.

    Args:
        first: The winner's score in each fold and repeat.
        second: The next one's.
        repeats: How often each fold was scored.

    Returns:
        The mean difference, and how far chance takes it but for one time in twenty.
    """
    if not first or len(first) != len(second):
        return Lead(math.nan, math.nan)
    differences = [one - other for one, other in zip(first, second, strict=True)]
    count = len(differences)
    mean = math.fsum(differences) / count
    if count == 1:
        return Lead(abs(mean), math.nan)
    spread = math.fsum((one - mean) ** 2 for one in differences) / (count - 1)
    folds = count // repeats
    held_out = 1 / (folds - 1) if folds > 1 else HELD_OUT
    return Lead(abs(mean), noise.sure(count) * noise.of_folds(spread, count, held_out))


def scores_of(trial: FrozenTrial) -> list[float]:
    """Read the score of each fold and repeat of a trial."""
    file = Path(str(trial.user_attrs.get(FOLDER))) / FOUND
    return [float(value) for value in json.loads(file.read_text())["scores"]] if file.exists() else []


def lead_of(study: Study, goal: Goal) -> Lead:
    """Compare the winner with the next."""
    first = ranked(valid(study), goal)[:2]
    if len(first) < 2:
        return Lead(math.nan, math.nan)
    repeats = int(study.user_attrs.get(META, {}).get("repeats", 1))
    return lead(scores_of(first[0]), scores_of(first[1]), repeats)


def outcomes_of(study: Study, goal: Goal) -> list[Outcome]:
    """Read the outcomes of all trials: best first, then pruned, then failed."""
    order = [one.number for one in ranked(valid(study), goal)]
    rest = [one.number for state in ("PRUNED", "FAIL") for one in valid(study) if one.state.name == state]
    folders = {one.number: Path(str(one.user_attrs.get(FOLDER))) for one in study.get_trials(deepcopy=False)}
    files = [folders[number] / RESULT for number in (*order, *rest)]
    return [read_outcome(file) for file in files if file.exists()]


def params_of(trial: FrozenTrial, space: Space) -> dict[str, Any]:
    """Name a trial's parameters by their keys, as the official plugin does."""
    keys = {one.name: one.key for one in space.dimensions}
    return {keys.get(name, name): value for name, value in trial.params.items()}


def summary(study: Study, goal: Goal, space: Space, best_run: str | None, winner: dict[str, Any] | None) -> Any:
    """Describe what came of a search; `optimization_results.yaml` in the folder of the sweep.

    Args:
        study: The search.
        goal: What it was for.
        space: What it varied.
        best_run: MLflow's id of the best trial's run.
        winner: The run of the refit, its model and its scores; None when there was none.
    """
    trials = valid(study)
    counts = {told: sum(one.state.name == state for one in trials) for state, told in STATES.items()}
    told: dict[str, Any] = {"name": "optuna"}
    best = best_of(trials, goal)
    if len(goal.metrics) > 1:
        front = [one for one in study.best_trials if VOID not in one.user_attrs]
        told["solutions"] = [
            {"params": params_of(one, space), "values": list(one.values), "number": one.number} for one in front
        ]
    elif best is not None:
        told |= {"best_params": params_of(best, space), "best_value": best.values[0]}
    if best is not None:
        told |= {
            "best_trial_number": best.number,
            "best_job_dir": str(best.user_attrs.get(FOLDER)),
            "best_mlflow_run_id": best_run,
            "best_overrides": list(best.user_attrs.get(OVERRIDES, [])),
        }
    return told | {
        "metrics": list(goal.metrics),
        "directions": list(goal.directions),
        "study_name": study.study_name,
        "counts": {name: count for name, count in counts.items() if count},
        "winner": winner,
    }


def write(folder: Path, told: dict[str, Any], outcomes: list[Outcome]) -> None:
    """Write the summary, and the trials as a table."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NAME).write_text(yaml.safe_dump(told, sort_keys=False, allow_unicode=True))
    with (folder / "trials.csv").open("w", newline="") as sink:
        writer = csv.writer(sink)
        writer.writerow(["number", "status", "metric", "value", "seconds", "composition", "run_id", "error"])
        for one in outcomes:
            row = (one.job, one.status, one.metric, one.objective, one.seconds, one.name, one.run_id, one.error)
            writer.writerow(row)

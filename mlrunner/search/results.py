"""The results of a search: the ranking, the lead of the winner, and the files in the folder of the sweep."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
import yaml
from optuna.trial import TrialState

from mlrunner.core.outcome import OUTCOME_FILE, Outcome, read_outcome
from mlrunner.search.trial_attributes import FOLDER, INVALID_TRIALS, OVERRIDES, list_valid

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

    from mlrunner.search.objective import Objectives
    from mlrunner.search.space import Space

RESULTS_FILE = "optimization_results.yaml"
STATE_NAMES = {
    "COMPLETE": "complete",
    "PRUNED": "pruned",
    "FAIL": "failed",
    "RUNNING": "running",
    "WAITING": "waiting",
}
TRIAL_COLUMNS = {
    "number": "job",
    "status": "status",
    "metric": "metric",
    "value": "objective",
    "seconds": "seconds",
    "composition": "name",
    "run_id": "run_id",
    "error": "error",
}  # of trials.csv, by attribute of an outcome


def list_valid_trials(study: Study) -> list[FrozenTrial]:
    """List the trials of a study that were not discarded."""
    return list_valid(study.get_trials(deepcopy=False))


def find_best(study: Study, objectives: Objectives) -> FrozenTrial | None:
    """Find the best trial by the first metric, the earliest of equals; None when no valid trial is complete."""
    return next(iter(rank(study, objectives)), None)


def list_candidates(study: Study) -> list[FrozenTrial]:
    """List the complete trials, without foreign ones and those whose run is tagged as invalid."""
    invalid, foreign = study.user_attrs.get(INVALID_TRIALS, {}), list_foreign(study)
    complete = [trial for trial in list_valid_trials(study) if trial.state == TrialState.COMPLETE]
    return [trial for trial in complete if str(trial.number) not in invalid and trial.number not in foreign]


def list_foreign(study: Study) -> list[int]:
    """List the numbers of the complete trials that another program made, of which no composition and run is known."""
    complete = [trial for trial in list_valid_trials(study) if trial.state == TrialState.COMPLETE]
    return [trial.number for trial in complete if OVERRIDES not in trial.user_attrs]


def rank(study: Study, objectives: Objectives) -> list[FrozenTrial]:
    """Sort the complete trials by the first metric, best first; foreign and invalid ones are left out."""
    sign = -1 if objectives.directions[0] == "maximize" else 1
    return sorted(list_candidates(study), key=lambda trial: (sign * trial.values[0], trial.number))


def read_outcomes(study: Study, objectives: Objectives) -> list[Outcome]:
    """Read the outcomes of all trials: complete ones best first, then invalid, then pruned, then failed ones."""
    valid, ranked = list_valid_trials(study), rank(study, objectives)
    numbers = {trial.number for trial in ranked}
    rest = [trial for trial in valid if trial.number not in numbers]
    others = [trial for state in ("COMPLETE", "PRUNED", "FAIL") for trial in rest if trial.state.name == state]
    invalid = study.user_attrs.get(INVALID_TRIALS, {})
    return [outcome for trial in (*ranked, *others) for outcome in _read(trial, invalid.get(str(trial.number)))]


def _read(trial: FrozenTrial, invalid: str | None) -> Iterator[Outcome]:
    """Read the outcome of a trial where it is written; why its run is invalid is its error."""
    file = Path(str(trial.user_attrs.get(FOLDER))) / OUTCOME_FILE
    if file.exists():
        outcome = read_outcome(file)
        yield outcome if invalid is None else replace(outcome, error=f"invalid: {invalid}")


def _key_params(trial: FrozenTrial, space: Space) -> dict[str, Any]:
    """Return the parameters of a trial by their keys, as Hydra's own plugin for Optuna does."""
    keys = {dimension.name: dimension.key for dimension in space.dimensions}
    return {keys.get(name, name): value for name, value in trial.params.items()}


def summarize(
    study: Study, objectives: Objectives, space: Space, best_run: str | None, winner: dict[str, Any] | None
) -> dict[str, Any]:
    """Summarize a search, for `optimization_results.yaml` in the folder of the sweep.

    Args:
        study: Study of the search.
        objectives: Objectives of the search.
        space: Search space.
        best_run: MLflow run id of the best trial; None without a best trial.
        winner: Run, model and metrics of the refit; None without a refit.
    """
    trials = list_valid_trials(study)
    counts = {label: sum(trial.state.name == state for trial in trials) for state, label in STATE_NAMES.items()}
    summary: dict[str, Any] = {"name": "optuna"}
    best = find_best(study, objectives)
    if len(objectives.metrics) > 1:
        front = list_front(study)
        summary["solutions"] = [
            {"params": _key_params(trial, space), "values": list(trial.values), "number": trial.number}
            for trial in front
        ]
    elif best is not None:
        summary |= {"best_params": _key_params(best, space), "best_value": best.values[0]}
    if best is not None:
        summary |= {
            "best_trial_number": best.number,
            "best_job_dir": str(best.user_attrs.get(FOLDER)),
            "best_mlflow_run_id": best_run,
            "best_overrides": list(best.user_attrs.get(OVERRIDES, [])),
        }
    return summary | {
        "metrics": list(objectives.metrics),
        "directions": list(objectives.directions),
        "study_name": study.study_name,
        "counts": {label: count for label, count in counts.items() if count},
        "winner": winner,
    }


def list_front(study: Study) -> list[FrozenTrial]:
    """List the candidates that no other one beats in all objectives."""
    candidates = list_candidates(study)
    shadow = optuna.create_study(directions=study.directions)
    shadow.add_trials(candidates)
    return [candidates[trial.number] for trial in shadow.best_trials]


def write_results(folder: Path, summary: dict[str, Any], outcomes: list[Outcome]) -> None:
    """Write the summary as YAML, and the trials as `trials.csv`.

    Args:
        folder: Folder of the sweep.
        summary: Summary of the search.
        outcomes: Outcomes of the trials, in the order of the rows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RESULTS_FILE).write_text(yaml.safe_dump(summary, sort_keys=False, allow_unicode=True))
    with (folder / "trials.csv").open("w", newline="") as sink:
        writer = csv.writer(sink)
        writer.writerow(TRIAL_COLUMNS)
        writer.writerows([getattr(outcome, name) for name in TRIAL_COLUMNS.values()] for outcome in outcomes)

"""The outcome of one composition, and its file `result.json`."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mlrunner.core.formatting import nan_to_none, none_to_nan

OUTCOME_FILE = "result.json"
NUMBERS = ("objective", "seconds", "fit_seconds", "score_seconds")  # fields that are null in JSON when they are NaN


@dataclass(frozen=True)
class Outcome:
    """The outcome of one composition.

    Args:
        name: Overrides that differ from the default composition, abbreviated.
        status: FINISHED or FAILED; PRUNED is possible for a trial.
        metric: Name of the metric that ranks.
        direction: maximize or minimize.
        objective: Value of the metric; NaN when the composition did not finish.
        seconds: Wall time of the pipeline.
        fit_seconds: Time of the estimator's fit, a part of `seconds`.
        score_seconds: Time of the predictions and metrics, a part of `seconds`.
        metrics: Value of each metric, by part and name (`test/r2`).
        run_id: ID of the MLflow run; None when the composition failed before the run was created.
        model_uri: MLflow's URI of the model; None when no model is saved.
        folder: Output folder.
        job: Number of the job in its sweep; None for a single run.
        error: Error message; None when the composition finished.
        pipeline_run: Name of the ZenML run.
        gate: `open` and `reason`; None when the composition has no gate and no deployer.
        deployment: `name`, `version` and `url`, or `error`; None when nothing was deployed.
        columns: `used` columns, `left_out` ones by reason, the format of each of `dates`, and `unreadable` values.
        warnings: `name` and `text` of each warning about the data and the scores.
        question: What is predicted, in words; scores of different questions do not compare. Empty when unknown.
        judged_rows: Digest of the rows that the objective is computed on; empty when unknown.
    """

    name: str
    status: str
    metric: str
    direction: str
    objective: float = math.nan
    seconds: float = math.nan
    fit_seconds: float = math.nan
    score_seconds: float = math.nan
    metrics: dict[str, float] = field(default_factory=dict)
    run_id: str | None = None
    model_uri: str | None = None
    folder: str = ""
    job: int | None = None
    error: str | None = None
    pipeline_run: str | None = None
    gate: dict[str, Any] | None = None
    deployment: dict[str, Any] | None = None
    columns: dict[str, Any] = field(default_factory=dict)
    warnings: list[dict[str, str]] = field(default_factory=list)
    question: str = ""
    judged_rows: str = ""

    def json(self) -> str:
        """Return the outcome as JSON; NaN and infinities are null."""
        return json.dumps(nan_to_none(asdict(self)))

    def write(self, folder: Path) -> None:
        """Write `result.json` into the folder of a job or a trial, in one step: other sessions read it."""
        partial = folder / f"{OUTCOME_FILE}.partial"
        partial.write_text(self.json())
        partial.replace(folder / OUTCOME_FILE)


def rank(outcomes: list[Outcome]) -> list[Outcome]:
    """Sort outcomes, best first; those without an objective come last, in the order of their jobs."""

    def key(outcome: Outcome) -> tuple[bool, float, int]:
        has_failed = outcome.objective != outcome.objective
        sign = -1 if outcome.direction == "maximize" else 1
        return has_failed, 0.0 if has_failed else sign * outcome.objective, outcome.job or 0

    return sorted(outcomes, key=key)


def separate(outcomes: list[Outcome]) -> dict[str, list[Outcome]]:
    """Separate ranked outcomes by question and metric, the question of the first one first.

    Outcomes of an unknown question, which are failures, stand behind those of the last question.
    """
    groups: dict[str, list[Outcome]] = {}
    for outcome in (each for each in outcomes if each.question):
        groups.setdefault(f"{outcome.question}, by {outcome.metric}", []).append(outcome)
    unknown = [outcome for outcome in outcomes if not outcome.question]
    last = next(reversed(groups), "")
    return {**groups, last: [*groups.get(last, []), *unknown]} if unknown else groups


def read_outcomes(folder: Path) -> list[Outcome]:
    """Read the outcome of each job of a sweep, in the order of the jobs.

    `hydra.sweep.subdir` may nest their folders; links to other folders are not followed.
    """
    documents = [json.loads(file.read_text()) for file in folder.rglob(OUTCOME_FILE) if file.parent != folder]
    # A job may write a file of this name into a folder of its own.
    own = [each for each in documents if isinstance(each, dict) and "job" in each]
    return sorted(map(parse_outcome, own), key=lambda outcome: outcome.job or 0)


def read_outcome(file: Path) -> Outcome:
    """Read an outcome from its file."""
    return parse_outcome(json.loads(file.read_text()))


def parse_outcome(values: dict[str, Any]) -> Outcome:
    """Make an outcome from the document that `Outcome.json` wrote; null becomes NaN."""
    return Outcome(**{**values, **{name: none_to_nan(values[name]) for name in NUMBERS}})

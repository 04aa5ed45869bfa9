"""What became of one composition."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """What became of one composition; also the `result.json` of its folder.

    Args:
        name: What differs from the default composition.
        status: FINISHED or FAILED; of a trial also PRUNED.
        metric: The objective's metric.
        objective: Its value; NaN where it did not come to its end.
        seconds: Wall time of the pipeline.
        fit_seconds: Of that, the estimator's own fit.
        score_seconds: And its answers for every part, with their metrics.
        metrics: All of them, by part and name.
        run_id: Of MLflow; None when it failed before there was one.
        model_uri: Of MLflow; None when no model is saved.
        folder: Of the run.
        job: Number in the sweep; None for a single run.
        error: What went wrong; None when nothing did.
        pipeline_run: ZenML's name of the run.
        gate: `open` and `reason`; None when no gate and no deployer was chosen.
        deployment: `name`, `version` and `url`, or `error`; None when nothing was deployed.
    """

    name: str
    status: str
    metric: str
    direction: str
    objective: float
    seconds: float
    fit_seconds: float
    score_seconds: float
    metrics: dict[str, float]
    run_id: str | None
    model_uri: str | None
    folder: str
    job: int | None = None
    error: str | None = None
    pipeline_run: str | None = None
    gate: dict[str, Any] | None = None
    deployment: dict[str, Any] | None = None

    def json(self) -> str:
        """The outcome as JSON; NaN and infinities are null, which JSON has and those it has not."""
        return json.dumps(_finite(asdict(self)))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


RESULT = "result.json"


NUMBERS = ("objective", "fit_seconds", "score_seconds")  # null in JSON where there is none


def rank(outcomes: list[Outcome]) -> list[Outcome]:
    """Sort best first; failures and NaN come last, in the order of their jobs."""

    def key(outcome: Outcome) -> tuple[bool, float, int]:
        failed = outcome.objective != outcome.objective
        sign = -1 if outcome.direction == "maximize" else 1
        return failed, 0.0 if failed else sign * outcome.objective, outcome.job or 0

    return sorted(outcomes, key=key)


def read_outcomes(folder: Path) -> list[Outcome]:
    """Read the result of every job of a sweep."""
    return [read_outcome(file) for file in folder.glob(f"*/{RESULT}")]


def read_outcome(file: Path) -> Outcome:
    """Read the result of a job."""
    found = json.loads(file.read_text())
    return Outcome(**{**found, **{name: _nan(found[name]) for name in NUMBERS}})


def _nan(value: float | None) -> float:
    return float("nan") if value is None else value

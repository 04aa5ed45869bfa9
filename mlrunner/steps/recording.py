"""What a run leaves in MLflow: its results at once, its model and pictures behind its back."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from pydantic import BaseModel

from mlrunner import tracking
from mlrunner.core.errors import MlrunnerError
from mlrunner.evaluation import scoring, uncertainty
from mlrunner.groups.cleaning import feature_columns
from mlrunner.groups.model.packaging import pip_requirements, trusted_types
from mlrunner.tracking.background_writer import RECORDER

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlrunner.core.column_roles import Roles, Task
    from mlrunner.evaluation.metrics import Predictions
    from mlrunner.evaluation.scoring import Evaluation, Parts
    from mlrunner.evaluation.uncertainty import Replicates
    from mlrunner.groups.deployer import Deployment
    from mlrunner.groups.gate import Decision
    from mlrunner.groups.strategy import CleaningStrategy

EXAMPLE_ROWS = 5
log = logging.getLogger(__name__)
GATE, GATE_REASON = "mlrunner.gate.decision", "mlrunner.groups.gate.reason"  # open, closed or none
NOT_ASKED = "none"
DEPLOYMENT, DEPLOY_VERSION = "mlrunner.deployment.name", "mlrunner.deployment.version"
DEPLOY_URL, DEPLOY_WHERE = "mlrunner.deployment.url", "mlrunner.deployment.where"
DEPLOY_ERROR = "mlrunner.deployment.error"
NOISE = "noise.json"
DRAWN_ROWS = 2000  # of each part; the pictures look at fewer


class Tracked(BaseModel):
    """The MLflow run that steps write to, and what they write beside metrics."""

    run_id: str
    log_model: bool
    plots: bool
    seed: int


def model(tracked: Tracked, pipeline: Any, raw: pd.DataFrame, roles: Roles, strategy: CleaningStrategy) -> str | None:
    """Save a fitted pipeline that takes raw rows.

    Returns:
        The model's address, `models:/m-…`, or None when the run saves none.
    """
    if not tracked.log_model:
        return None
    model_id = tracking.reserve_model(tracked.run_id)
    example = as_doubles(feature_columns(raw.head(EXAMPLE_ROWS), roles))
    RECORDER.later(_save, tracked.run_id, model_id, pipeline, example, strategy)
    return f"models:/{model_id}"


def _save(run_id: str, model_id: str, pipeline: Any, example: pd.DataFrame, strategy: CleaningStrategy) -> None:
    tracking.save_model(
        run_id,
        model_id,
        pipeline,
        signature=signature(pipeline, example, strategy),
        input_example=example,
        pip_requirements=pip_requirements(pipeline),
        skops_trusted_types=trusted_types(pipeline),
    )


def as_doubles(rows: pd.DataFrame) -> pd.DataFrame:
    """Turn integers into doubles: an integer column of a signature cannot be missing at serving time."""
    integers = rows.select_dtypes("integer").columns
    return rows.astype(dict.fromkeys(integers, "float64"))


def signature(pipeline: Any, rows: pd.DataFrame, strategy: CleaningStrategy) -> ModelSignature:
    """Describe raw rows; a column that the cleaning does not look at is optional."""
    used = used_columns(rows, strategy)
    inputs = Schema([ColSpec(_type(rows[name]), str(name), required=name in used) for name in rows.columns])
    predicted = pd.Series(pipeline.predict(rows))
    return ModelSignature(inputs=inputs, outputs=Schema([ColSpec(_type(predicted), "prediction")]))


def used_columns(rows: pd.DataFrame, strategy: CleaningStrategy) -> set[str]:
    """Find the raw columns without which the cleaned features would not be the same."""
    whole = strategy.transform_rows(rows)
    return {str(name) for name in rows.columns if not _does_without(str(name), rows, strategy, whole)}


def _does_without(name: str, rows: pd.DataFrame, strategy: CleaningStrategy, whole: pd.DataFrame) -> bool:
    try:
        return bool(strategy.transform_rows(rows.drop(columns=name)).equals(whole))
    except Exception:  # a strategy of the user's may raise anything where a column that it reads is absent
        return False


def _type(column: pd.Series[Any]) -> DataType:
    kinds = {
        "b": DataType.boolean,
        "i": DataType.long,
        "u": DataType.long,
        "f": DataType.double,
        "M": DataType.datetime,
    }
    return kinds.get(getattr(column.dtype, "kind", "O"), DataType.string)


def evaluated(tracked: Tracked, found: Evaluation, seconds: dict[str, float]) -> None:
    """Log the metrics and what they took, at once."""
    tracking.log_metrics(tracked.run_id, {**found.scores, **seconds})


def drawn(tracked: Tracked, fitted: Any, parts: Parts, found: Evaluation, task: Task, subject: str) -> None:
    """Draw the pictures; `subject` names data set and model."""
    if tracked.plots:
        RECORDER.later(_draw, tracked.run_id, fitted, parts.sample(DRAWN_ROWS), found, task, tracked.seed, subject)


def _draw(run_id: str, *drawn: Any) -> None:
    tracking.log_figures(run_id, scoring.figures(*drawn))


def decided(tracked: Tracked, decision: Decision | None) -> None:
    """Tag a run with what the gate said of it; None where neither a gate nor a deployer was chosen."""
    if decision is None:
        told = {GATE: NOT_ASKED, GATE_REASON: "neither a gate nor a deployer was chosen"}
    else:
        told = {GATE: "open" if decision.deploy else "closed", GATE_REASON: decision.reason}
    RECORDER.later(tracking.set_tags, tracked.run_id, told)


def deployed(tracked: Tracked, deploy: Callable[[], Deployment | None]) -> None:
    """Deploy, and tag the run with where it is deployed, or why it is not."""
    try:
        found = deploy()
    except Exception as error:  # the model is saved and may be deployed again, so the run has not failed
        if not isinstance(error, MlrunnerError):
            log.exception("the deployment failed")
        reason = str(error) if isinstance(error, MlrunnerError) else f"{type(error).__name__}: {error}"
        tracking.set_tags(tracked.run_id, {DEPLOY_ERROR: reason})
        return
    if found is not None:
        told = {DEPLOYMENT: found.name, DEPLOY_VERSION: str(found.version), DEPLOY_URL: found.url or ""}
        tracking.set_tags(tracked.run_id, {**told, DEPLOY_WHERE: found.where, DEPLOY_ERROR: ""})


def handed_over(run_id: str) -> dict[str, Any]:
    """Read what gate and deployer said of a run.

    Returns:
        `gate` with `open` and `reason`, `deployment` with `name`, `version`, `url` and `where`, or with `error`; each
        None for none.
    """
    RECORDER.flush()
    tags = tracking.tags_by_name(run_id)
    asked = tags.get(GATE, NOT_ASKED) != NOT_ASKED
    gate = {"open": tags[GATE] == "open", "reason": tags[GATE_REASON]} if asked else None
    if tags.get(DEPLOY_ERROR):
        return {"gate": gate, "deployment": {"error": tags[DEPLOY_ERROR]}}
    if gate is None or not gate["open"] or DEPLOYMENT not in tags:
        return {"gate": gate, "deployment": None}
    told = {"name": tags[DEPLOYMENT], "version": int(tags[DEPLOY_VERSION])}
    return {"gate": gate, "deployment": {**told, "url": tags[DEPLOY_URL] or None, "where": tags[DEPLOY_WHERE]}}


def replicates(tracked: Tracked, found: Evaluation, task: Task) -> None:
    """Save how far each score would move with other rows."""
    RECORDER.later(_replicate, tracked.run_id, found.judged, found.folds, task)


def _replicate(
    run_id: str, judged: dict[str, tuple[Predictions, str, Any]], folds: Replicates | None, task: Task
) -> None:
    found = {part: uncertainty.replicate(said, task, *rows) for part, (said, *rows) in judged.items()} | {"cv": folds}
    told = {part: one.plain() for part, one in found.items() if one is not None}
    tracking.log_documents(run_id, {NOISE: told})

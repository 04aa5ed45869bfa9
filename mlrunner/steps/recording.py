"""Record a run in MLflow: scores at once, model and plots in the background."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from pydantic import BaseModel

from mlrunner.core.column_roles import Roles, Task
from mlrunner.core.errors import MlrunnerError
from mlrunner.core.failed_writes import explain_failed_write
from mlrunner.core.model_code import READING_KEY
from mlrunner.evaluation import scoring, uncertainty
from mlrunner.evaluation.scoring import Evaluation, ScoredPart
from mlrunner.evaluation.split_data import SplitData
from mlrunner.evaluation.uncertainty import Replicates
from mlrunner.groups.cleaning.controller import select_servable_inputs
from mlrunner.groups.deployer import Deployment
from mlrunner.groups.gate import Decision
from mlrunner.groups.model.packaging import find_trusted_types, pin_requirements
from mlrunner.groups.strategy import CleaningStrategy
from mlrunner.steps.model_signature import build_signature, convert_integers, find_nearly_empty
from mlrunner.tracking import artifacts, run_log
from mlrunner.tracking.background_writer import RECORDER
from mlrunner.tracking.records.record import (
    DEPLOY_ERROR_TAG,
    DEPLOYED_URL_TAG,
    DEPLOYED_VERSION_TAG,
    DEPLOYED_WHERE_TAG,
    DEPLOYMENT_TAG,
    GATE_REASON_TAG,
    GATE_TAG,
    REPLICATES_FILE,
)

EXAMPLE_ROWS = 5
PLOT_ROWS = 2000  # of each part
NO_GATE = "none"
log = logging.getLogger(__name__)


class RunContext(BaseModel, frozen=True):
    """The MLflow run that steps write to, and what they save besides metrics.

    Args:
        run_id: Id of the run.
        log_model: Whether to save the model.
        plots: Whether to draw plots.
        seed: Seed of what plots compute.
        objective: Metric that ranks the run.
        ignored_warnings: Names of warnings that are not given.
    """

    run_id: str
    log_model: bool
    plots: bool
    seed: int
    objective: str
    ignored_warnings: tuple[str, ...] = ()


def save_model(
    run: RunContext,
    pipeline: Any,
    raw: pd.DataFrame,
    roles: Roles,
    strategy: CleaningStrategy,
    reading: Mapping[str, Any],
) -> str | None:
    """Save a fitted pipeline that takes raw rows, and the reading of the raw table, in the background.

    Returns:
        URI of the model, `models:/m-…`; None if the run saves no model.
    """
    if not run.log_model:
        return None
    model_id = artifacts.reserve_model(run.run_id)
    example = convert_integers(strategy.mask_unreadable(select_servable_inputs(raw.head(EXAMPLE_ROWS), roles)))
    RECORDER.submit(_save_model, run.run_id, model_id, pipeline, example, strategy, find_nearly_empty(raw), reading)
    return f"models:/{model_id}"


def _save_model(
    run_id: str,
    model_id: str,
    pipeline: Any,
    example: pd.DataFrame,
    strategy: CleaningStrategy,
    empty: set[str],
    reading: Mapping[str, Any],
) -> None:
    artifacts.save_model(
        run_id,
        model_id,
        pipeline,
        signature=build_signature(pipeline, example, strategy, empty),
        input_example=example,
        metadata={READING_KEY: dict(reading)},
        pip_requirements=pin_requirements(pipeline),
        skops_trusted_types=find_trusted_types(pipeline),
    )


def log_evaluation(run: RunContext, evaluation: Evaluation, seconds: dict[str, float]) -> None:
    """Log the scores and the durations."""
    run_log.log_metrics(run.run_id, {**evaluation.scores, **seconds})


def draw_figures(
    run: RunContext, estimator: Any, data: SplitData, evaluation: Evaluation, task: Task, subject: str
) -> None:
    """Draw and save the plots in the background.

    Args:
        run: Run that the plots belong to.
        estimator: Fitted estimator that takes cleaned features.
        data: Cleaned rows.
        evaluation: Scores and predictions.
        task: Learning task.
        subject: Names of data set and model.
    """
    if run.plots:
        sample = data.sample(PLOT_ROWS)
        RECORDER.submit(_draw_figures, run.run_id, estimator, sample, evaluation, task, run.seed, subject)


def _draw_figures(run_id: str, *arguments: Any) -> None:
    artifacts.log_figures(run_id, scoring.draw_figures(*arguments))


def log_replicates(run: RunContext, evaluation: Evaluation, task: Task) -> None:
    """Save the jackknife replicates of each score in the background: how much it varies with other rows."""
    RECORDER.submit(_log_replicates, run.run_id, evaluation.held_out, evaluation.folds, task)


def _log_replicates(run_id: str, held_out: dict[str, ScoredPart], folds: Replicates | None, task: Task) -> None:
    replicates = {
        name: uncertainty.jackknife(part.predictions, task, part.rows, part.clusters) for name, part in held_out.items()
    }
    document = {name: value.to_json() for name, value in {**replicates, "cv": folds}.items() if value is not None}
    artifacts.log_documents(run_id, {REPLICATES_FILE: document})


def tag_decision(run: RunContext, decision: Decision | None) -> None:
    """Tag a run with the gate's decision; None if neither a gate nor a deployer was chosen."""
    if decision is None:
        tags = {GATE_TAG: NO_GATE, GATE_REASON_TAG: "neither a gate nor a deployer was chosen"}
    else:
        tags = {GATE_TAG: "open" if decision.deploy else "closed", GATE_REASON_TAG: decision.reason}
    RECORDER.submit(run_log.set_tags, run.run_id, tags)


def run_deployment(run: RunContext, deploy: Callable[[], Deployment | None]) -> None:
    """Deploy, and tag the run with the deployment or with the error."""
    try:
        deployment = deploy()
    except Exception as error:  # the run has not failed: its model is saved and can be deployed again
        known = error if isinstance(error, MlrunnerError) else explain_failed_write(error)
        if known is None:
            log.exception("the deployment failed")
        reason = f"{type(error).__name__}: {error}" if known is None else str(known)
        run_log.set_tags(run.run_id, {DEPLOY_ERROR_TAG: reason})
        return
    if deployment is not None:
        tags = {
            DEPLOYMENT_TAG: deployment.name,
            DEPLOYED_VERSION_TAG: str(deployment.version),
            DEPLOYED_URL_TAG: deployment.url or "",
            DEPLOYED_WHERE_TAG: deployment.where,
            DEPLOY_ERROR_TAG: "",
        }
        run_log.set_tags(run.run_id, tags)


def read_deployment(run_id: str) -> dict[str, Any]:
    """Read the gate's decision and the deployment of a run.

    Returns:
        `gate` with `open` and `reason`, None without a gate; `deployment` with `name`, `version`, `url` and `where`,
        or with `error`, None without a deployment.
    """
    RECORDER.flush()
    tags = run_log.read_tags(run_id)
    has_gate = tags.get(GATE_TAG, NO_GATE) != NO_GATE
    gate = {"open": tags[GATE_TAG] == "open", "reason": tags[GATE_REASON_TAG]} if has_gate else None
    if gate is None or not gate["open"]:  # an error would be that of an earlier attempt
        return {"gate": gate, "deployment": None}
    if (error := tags.get(DEPLOY_ERROR_TAG)) or DEPLOYMENT_TAG not in tags:
        return {"gate": gate, "deployment": {"error": error} if error else None}
    deployment = {
        "name": tags[DEPLOYMENT_TAG],
        "version": int(tags[DEPLOYED_VERSION_TAG]),
        "url": tags[DEPLOYED_URL_TAG] or None,
        "where": tags[DEPLOYED_WHERE_TAG],
    }
    return {"gate": gate, "deployment": deployment}

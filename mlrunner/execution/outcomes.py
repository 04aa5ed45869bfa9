"""Describe how a run ended: its results from MLflow, or its error."""

from __future__ import annotations

from dataclasses import asdict

from mlrunner.composition.checks import Checked
from mlrunner.composition.composition import Launch
from mlrunner.composition.findings import describe_question
from mlrunner.core.errors import MlrunnerError
from mlrunner.core.outcome import Outcome

NAN = float("nan")


def describe_failure(launch: Launch, error: Exception, seconds: float) -> Outcome:
    """Describe a job that raised an exception.

    Args:
        launch: Launch of the job.
        error: Exception of the job.
        seconds: Wall time until it was raised.
    """
    text = str(error) if isinstance(error, MlrunnerError) else f"{type(error).__name__}: {error}"
    return Outcome(
        name=launch.name,
        status="FAILED",
        metric="objective",
        direction="maximize",
        seconds=seconds,
        folder=str(launch.folder),
        job=launch.job,
        error=text.replace("\n", " "),
    )


def read_outcome(checked: Checked, run_id: str, pipeline_run: str, seconds: float) -> Outcome:
    """Read the results of a finished run from MLflow."""
    from mlrunner.steps import recording
    from mlrunner.tracking import run_log
    from mlrunner.tracking.records.record import VALIDATION_ROWS_TAG, read_warnings

    composition = checked.composition
    objective = composition.settings.objective
    deployment = recording.read_deployment(run_id) if composition.has_deployment_step else {}
    scores, model_uri = run_log.read_results(run_id)
    tags = run_log.read_tags(run_id)
    return Outcome(
        name=composition.name,
        status="FINISHED",
        metric=objective.first,
        direction=composition.settings.direction,
        objective=scores.get(objective.first, NAN),
        seconds=seconds,
        fit_seconds=scores.pop("fit_seconds", NAN),
        score_seconds=scores.pop("score_seconds", NAN),
        metrics=scores,
        run_id=run_id,
        model_uri=model_uri,
        folder=str(composition.launch.folder),
        job=composition.launch.job,
        pipeline_run=pipeline_run,
        columns=asdict(checked.columns),
        warnings=[notice._asdict() for notice in read_warnings(tags)],
        question=describe_question(checked.data, composition.settings),
        judged_rows=tags.get(VALIDATION_ROWS_TAG, ""),
        **deployment,
    )

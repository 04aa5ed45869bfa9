"""Record a search as the parent run of its trials in MLflow."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from mlflow.exceptions import MlflowException

from mlrunner.composition import run_record
from mlrunner.composition.composition import NAME_LENGTH, Launch
from mlrunner.core.redaction import redact
from mlrunner.search.trial_attributes import INVALID_TRIALS
from mlrunner.tracking import artifacts, invalid_runs, open_runs, provenance, run_log, sweep_runs
from mlrunner.tracking.background_writer import RECORDER
from mlrunner.tracking.records.record import FOLDER_TAG, OVERRIDES_TAG, STUDY_TAG, SWEEP_TAG
from mlrunner.tracking.studies import list_live_sessions
from mlrunner.tracking.study_lookup import MULTIRUN

if TYPE_CHECKING:
    from optuna import Study

    from mlrunner.search.plan import SearchPlan

PARENT = "parent"  # attribute of a study: the parent run of an earlier session
FILES = (MULTIRUN, "optimization_results.yaml", "trials.csv")
MAX_TAG = 500


def open_parent_run(plan: SearchPlan, study: Study, description: dict[str, Any], folder: Path) -> tuple[str, str]:
    """Open the parent run of a search; reopen that of an earlier session.

    Returns:
        MLflow's ids of the experiment and of the run.
    """
    settings = plan.first.composition.settings
    location = plan.first.repeats[0].stack.artifact_location
    experiment = run_log.ensure_experiment(settings.tracking.experiment, location)
    before = study.user_attrs.get(PARENT)
    if before is not None and _reopen(study, str(before)):
        parent = str(before)
    else:
        parent = _create(plan, experiment, study.study_name, description, folder)
        run_record.log_sources_and_data(parent, plan.first.repeats[0])  # one for all trials
        study.set_user_attr(PARENT, parent)
    RECORDER.submit(_log_files, parent, folder, (MULTIRUN,))  # for `mlrunner resume` on another machine
    return experiment, parent


def _reopen(study: Study, run_id: str) -> bool:
    """Reopen a run, end the trials of sessions that were killed, and note which trials are invalid by now.

    Returns:
        False when the run was deleted, or is in another store.
    """
    try:
        open_runs.reopen_run(run_id)
        end_lost_runs(run_id, list_live_sessions(study.user_attrs))
    except MlflowException:
        return False
    study.set_user_attr(INVALID_TRIALS, invalid_runs.list_invalid_trials(run_id))
    return True


def end_lost_runs(run_id: str, live: Collection[str]) -> None:
    """End the runs below a search whose session has ended without closing them."""
    for child, pipeline_run in sweep_runs.list_running(run_id).items():
        if pipeline_run.rpartition("-")[2] not in live:
            open_runs.interrupt_run(child)


def _create(plan: SearchPlan, experiment: str, study: str, description: dict[str, Any], folder: Path) -> str:
    fixed, dimensions = [text for text, _ in plan.space.fixed], plan.space.dimensions
    varied = [*fixed, *(f"{dimension.key}={dimension.text}" for dimension in dimensions)]
    name = plan.first.composition.settings.tracking.name or ",".join(varied)
    params = {"study": study, "sampler": plan.settings.sampler, "goal": description["metric"]}
    ranges = {dimension.name: dimension.text for dimension in dimensions}
    tags = {
        **provenance.source_tags(),
        SWEEP_TAG: run_log.derive_sweep_id(folder),
        FOLDER_TAG: str(folder),
        STUDY_TAG: study,
        OVERRIDES_TAG: run_record.describe_overrides(Launch({}, fixed, folder)),
    }
    run_id = str(run_log.create_run(experiment, name[:NAME_LENGTH], tags).run_id)
    run_log.log_params(run_id, {**run_log.flatten(params), **_describe_ranges(ranges)})
    git = provenance.read_git()
    texts = {
        "space.yaml": yaml.safe_dump({**description, **params, "ranges": ranges}, sort_keys=False),
        "environment/requirements.txt": provenance.list_packages(),
        "environment/git.json": json.dumps({key: text for key, text in git.items() if key != "diff"}),
        "environment/dirty.diff": git.get("diff", ""),
    }
    RECORDER.submit(artifacts.log_texts, run_id, texts)
    return run_id


def _describe_ranges(ranges: dict[str, str]) -> dict[str, str]:
    """Describe each dimension as a parameter, named without the characters that MLflow refuses."""
    names = {name: re.sub(r"[^\w./ -]", "_", name.replace(":", "/").replace("+", "")) for name in ranges}
    return {f"space/{names[name]}": text for name, text in ranges.items()}


def close_parent_run(
    run_id: str, status: str | None, tags: dict[str, str], metrics: dict[str, float], folder: Path
) -> None:
    """Log the results of a search, and end its run.

    Args:
        run_id: MLflow's id of the run.
        status: MLflow's status; None leaves the run open, since another session goes on.
        tags: Tags to add.
        metrics: Objectives of the best trial.
        folder: Folder of the search.
    """
    run_log.log_metrics(run_id, metrics)
    run_log.set_tags(run_id, {name: redact(text)[:MAX_TAG] for name, text in tags.items()})
    RECORDER.submit(_log_files, run_id, folder, FILES)
    if status is not None:
        RECORDER.submit(run_log.end_run, run_id, status)


def _log_files(run_id: str, folder: Path, names: tuple[str, ...]) -> None:
    texts = {name: (folder / name).read_text() for name in names if (folder / name).exists()}
    artifacts.log_texts(run_id, texts)
